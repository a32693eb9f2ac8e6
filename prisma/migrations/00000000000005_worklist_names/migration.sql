-- A worklist key without `=` means any group of a person name (PS3.4 C.2.2.2.1.1). The alphabetic group is the beginning
-- of "nameKey", which has an index; these are for the ideographic and phonetic groups of the names that have them.
CREATE INDEX "Patient_nameKey_ideographic_idx" ON "Patient" (split_part("nameKey", '=', 2) text_pattern_ops) WHERE "nameKey" LIKE '%=%';
CREATE INDEX "Patient_nameKey_phonetic_idx" ON "Patient" (split_part("nameKey", '=', 3) text_pattern_ops) WHERE "nameKey" LIKE '%=%';

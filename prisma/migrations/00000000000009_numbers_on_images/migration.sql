-- CreateIndex: few orders wait for somebody to say whose they are, and few performed steps are in progress, among all.
CREATE INDEX "Order_unreconciled_idx" ON "Order"("patientId") WHERE "unreconciled";
CREATE INDEX "PerformedProcedureStep_inProgress_idx" ON "PerformedProcedureStep"("id") WHERE "performedProcedureStepStatus" = 'IN PROGRESS';

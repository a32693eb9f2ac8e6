-- CreateTable
CREATE TABLE "TemporaryNumber" (
    "id" SERIAL NOT NULL,
    "value" TEXT NOT NULL,
    "assigningAuthority" TEXT NOT NULL,
    "patientId" INTEGER NOT NULL,
    "modality" TEXT,
    "since" TIMESTAMPTZ(3) NOT NULL,
    "takenBy" TEXT NOT NULL,
    "reason" TEXT,
    "reconciledAt" TIMESTAMPTZ(3),

    CONSTRAINT "TemporaryNumber_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "TemporaryNumber_value_assigningAuthority_idx" ON "TemporaryNumber"("value", "assigningAuthority");

-- CreateIndex
CREATE INDEX "TemporaryNumber_patientId_idx" ON "TemporaryNumber"("patientId");

-- AddForeignKey
ALTER TABLE "TemporaryNumber" ADD CONSTRAINT "TemporaryNumber_patientId_fkey" FOREIGN KEY ("patientId") REFERENCES "Patient"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- A number in use is one patient's: who takes it in the same instant waits, and is told that it is taken.
CREATE UNIQUE INDEX "TemporaryNumber_inUse_idx" ON "TemporaryNumber"("value", "assigningAuthority") WHERE "reconciledAt" IS NULL;

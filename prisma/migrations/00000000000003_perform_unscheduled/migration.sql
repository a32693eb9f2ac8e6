-- AlterTable
ALTER TABLE "Order" ADD COLUMN     "unreconciled" BOOLEAN NOT NULL DEFAULT false;

-- AlterTable
ALTER TABLE "Patient" ADD COLUMN     "temporary" BOOLEAN NOT NULL DEFAULT false;

-- CreateTable
CREATE TABLE "EvidenceLink" (
    "procedureId" INTEGER NOT NULL,
    "performedStepId" INTEGER NOT NULL,

    CONSTRAINT "EvidenceLink_pkey" PRIMARY KEY ("procedureId","performedStepId")
);

-- CreateIndex
CREATE INDEX "EvidenceLink_performedStepId_idx" ON "EvidenceLink"("performedStepId");

-- AddForeignKey
ALTER TABLE "EvidenceLink" ADD CONSTRAINT "EvidenceLink_procedureId_fkey" FOREIGN KEY ("procedureId") REFERENCES "RequestedProcedure"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "EvidenceLink" ADD CONSTRAINT "EvidenceLink_performedStepId_fkey" FOREIGN KEY ("performedStepId") REFERENCES "PerformedProcedureStep"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

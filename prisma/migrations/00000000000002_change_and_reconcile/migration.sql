-- DropForeignKey
ALTER TABLE "Order" DROP CONSTRAINT "Order_messageId_fkey";

-- AlterTable
ALTER TABLE "Delivery" ADD COLUMN     "patientId" INTEGER;

-- AlterTable
ALTER TABLE "Order" ADD COLUMN     "alarm" TEXT,
ADD COLUMN     "appointmentNumbers" TEXT[] DEFAULT ARRAY[]::TEXT[],
ADD COLUMN     "departmental" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "endedBy" TEXT,
ADD COLUMN     "numberPending" BOOLEAN NOT NULL DEFAULT false,
ALTER COLUMN "placerOrderNumber" DROP NOT NULL,
ALTER COLUMN "placerOrderIssuer" DROP NOT NULL,
ALTER COLUMN "messageId" DROP NOT NULL;

-- AlterTable
ALTER TABLE "Patient" ADD COLUMN     "mergedAt" TIMESTAMPTZ(3),
ADD COLUMN     "mergedByMessageId" INTEGER,
ADD COLUMN     "mergedIntoId" INTEGER;

-- AlterTable
ALTER TABLE "PatientIdentifier" ADD COLUMN     "current" BOOLEAN NOT NULL DEFAULT true;

-- AlterTable
ALTER TABLE "RequestedProcedure" ADD COLUMN     "report" TEXT NOT NULL DEFAULT 'none',
ADD COLUMN     "serviceIndex" INTEGER NOT NULL DEFAULT 0;

-- AlterTable
ALTER TABLE "Visit" ADD COLUMN     "registered" BOOLEAN NOT NULL DEFAULT false;

-- CreateTable
CREATE TABLE "Result" (
    "id" SERIAL NOT NULL,
    "procedureId" INTEGER NOT NULL,
    "messageId" INTEGER NOT NULL,
    "resultStatus" TEXT NOT NULL,
    "lines" TEXT[],
    "interpreter" JSONB,
    "reportedAt" TEXT,
    "receivedAt" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "Result_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "Order_appointmentNumbers_idx" ON "Order" USING GIN ("appointmentNumbers");

-- CreateIndex: only what a person should know of what we sent; few rows of a long journal.
CREATE INDEX "Message_peer_idx" ON "Message"("peer") WHERE "direction" = 'OUT' AND "remarks" <> '{}';

-- CreateIndex
CREATE INDEX "Result_procedureId_id_idx" ON "Result"("procedureId", "id");

-- CreateIndex
CREATE INDEX "Result_messageId_idx" ON "Result"("messageId");

-- CreateIndex
CREATE INDEX "Delivery_patientId_idx" ON "Delivery"("patientId");

-- CreateIndex
CREATE INDEX "Patient_registeredByMessageId_idx" ON "Patient"("registeredByMessageId");

-- CreateIndex
CREATE INDEX "Patient_mergedIntoId_idx" ON "Patient"("mergedIntoId");

-- CreateIndex
CREATE INDEX "Patient_mergedByMessageId_idx" ON "Patient"("mergedByMessageId");

-- AddForeignKey
ALTER TABLE "Patient" ADD CONSTRAINT "Patient_mergedIntoId_fkey" FOREIGN KEY ("mergedIntoId") REFERENCES "Patient"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Patient" ADD CONSTRAINT "Patient_mergedByMessageId_fkey" FOREIGN KEY ("mergedByMessageId") REFERENCES "Message"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Order" ADD CONSTRAINT "Order_messageId_fkey" FOREIGN KEY ("messageId") REFERENCES "Message"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Result" ADD CONSTRAINT "Result_procedureId_fkey" FOREIGN KEY ("procedureId") REFERENCES "RequestedProcedure"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Result" ADD CONSTRAINT "Result_messageId_fkey" FOREIGN KEY ("messageId") REFERENCES "Message"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Delivery" ADD CONSTRAINT "Delivery_patientId_fkey" FOREIGN KEY ("patientId") REFERENCES "Patient"("id") ON DELETE SET NULL ON UPDATE CASCADE;

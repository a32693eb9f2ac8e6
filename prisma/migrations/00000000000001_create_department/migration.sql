-- CreateEnum
CREATE TYPE "VisitStatus" AS ENUM ('PREADMIT', 'OPEN', 'CLOSED', 'CANCELLED');

-- CreateEnum
CREATE TYPE "StepStatus" AS ENUM ('SCHEDULED', 'ARRIVED', 'READY', 'STARTED', 'DEPARTED', 'COMPLETED', 'CANCELLED', 'DISCONTINUED');

-- CreateEnum
CREATE TYPE "Direction" AS ENUM ('IN', 'OUT');

-- CreateEnum
CREATE TYPE "Protocol" AS ENUM ('HL7', 'DICOM');

-- CreateEnum
CREATE TYPE "Outcome" AS ENUM ('ACCEPTED', 'REFUSED', 'WAITING');

-- CreateEnum
CREATE TYPE "DeliveryStatus" AS ENUM ('PENDING', 'DELIVERED', 'REFUSED', 'SKIPPED');

-- CreateTable
CREATE TABLE "Patient" (
    "id" SERIAL NOT NULL,
    "name" JSONB NOT NULL,
    "nameKey" TEXT NOT NULL,
    "birthDate" DATE,
    "sex" TEXT,
    "demographics" JSONB NOT NULL,
    "registeredByMessageId" INTEGER,
    "registeredAt" TIMESTAMPTZ(3),
    "createdAt" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "Patient_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "PatientIdentifier" (
    "id" SERIAL NOT NULL,
    "patientId" INTEGER NOT NULL,
    "value" TEXT NOT NULL,
    "assigningAuthority" TEXT NOT NULL,
    "universalId" TEXT,
    "universalIdType" TEXT,
    "identifierType" TEXT,

    CONSTRAINT "PatientIdentifier_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Visit" (
    "id" SERIAL NOT NULL,
    "patientId" INTEGER NOT NULL,
    "visitNumber" TEXT,
    "assigningAuthority" TEXT NOT NULL,
    "visitStatus" "VisitStatus" NOT NULL,
    "patientClass" TEXT,
    "details" JSONB NOT NULL,
    "updatedAt" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "Visit_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Order" (
    "id" SERIAL NOT NULL,
    "patientId" INTEGER NOT NULL,
    "visitId" INTEGER,
    "placerOrderNumber" TEXT NOT NULL,
    "placerOrderIssuer" TEXT NOT NULL,
    "fillerOrderNumber" TEXT NOT NULL,
    "accessionNumber" TEXT NOT NULL,
    "orderStatus" TEXT NOT NULL,
    "reportedOrderStatus" TEXT,
    "details" JSONB NOT NULL,
    "patientDifferences" TEXT[],
    "sendingApplication" TEXT NOT NULL,
    "sendingFacility" TEXT NOT NULL,
    "messageId" INTEGER NOT NULL,
    "createdAt" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "Order_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "RequestedProcedure" (
    "id" SERIAL NOT NULL,
    "requestedProcedureId" TEXT NOT NULL,
    "orderId" INTEGER NOT NULL,
    "studyInstanceUid" TEXT NOT NULL,
    "code" JSONB NOT NULL,
    "state" TEXT NOT NULL,
    "availability" TEXT NOT NULL,
    "offered" BOOLEAN NOT NULL DEFAULT false,
    "machine" JSONB NOT NULL,
    "machineVersion" INTEGER NOT NULL,
    "createdAt" TIMESTAMPTZ(3) NOT NULL,
    "updatedAt" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "RequestedProcedure_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "ScheduledProcedureStep" (
    "id" SERIAL NOT NULL,
    "procedureId" INTEGER NOT NULL,
    "scheduledProcedureStepId" TEXT NOT NULL,
    "stepStatus" "StepStatus" NOT NULL,
    "modality" TEXT NOT NULL,
    "scheduledStationAeTitles" TEXT[],
    "startDate" DATE NOT NULL,
    "startTime" TIME(0) NOT NULL,
    "minutes" INTEGER NOT NULL,
    "details" JSONB NOT NULL,

    CONSTRAINT "ScheduledProcedureStep_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "PerformedProcedureStep" (
    "id" SERIAL NOT NULL,
    "sopInstanceUid" TEXT NOT NULL,
    "performedProcedureStepStatus" TEXT NOT NULL,
    "performedProcedureStepId" TEXT NOT NULL,
    "performedStationAeTitle" TEXT NOT NULL,
    "modality" TEXT NOT NULL,
    "studyInstanceUids" TEXT[],
    "dataset" JSONB NOT NULL,
    "exception" TEXT,
    "callingAeTitle" TEXT NOT NULL,
    "createdAt" TIMESTAMPTZ(3) NOT NULL,
    "updatedAt" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "PerformedProcedureStep_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "PerformedStepLink" (
    "stepId" INTEGER NOT NULL,
    "performedStepId" INTEGER NOT NULL,

    CONSTRAINT "PerformedStepLink_pkey" PRIMARY KEY ("stepId","performedStepId")
);

-- CreateTable
CREATE TABLE "ReferencedInstance" (
    "performedStepId" INTEGER NOT NULL,
    "sopInstanceUid" TEXT NOT NULL,
    "sopClassUid" TEXT NOT NULL,
    "seriesInstanceUid" TEXT NOT NULL,

    CONSTRAINT "ReferencedInstance_pkey" PRIMARY KEY ("performedStepId","sopInstanceUid")
);

-- CreateTable
CREATE TABLE "InstanceAvailability" (
    "sopInstanceUid" TEXT NOT NULL,
    "studyInstanceUid" TEXT NOT NULL,
    "instanceAvailability" TEXT NOT NULL,
    "retrieveAeTitle" TEXT NOT NULL,
    "messageId" INTEGER NOT NULL,
    "updatedAt" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "InstanceAvailability_pkey" PRIMARY KEY ("sopInstanceUid")
);

-- CreateTable
CREATE TABLE "Message" (
    "id" SERIAL NOT NULL,
    "direction" "Direction" NOT NULL,
    "protocol" "Protocol" NOT NULL,
    "transaction" TEXT,
    "messageType" TEXT NOT NULL,
    "controlId" TEXT NOT NULL,
    "sendingApplication" TEXT NOT NULL,
    "sendingFacility" TEXT NOT NULL,
    "peer" TEXT,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "raw" BYTEA NOT NULL,
    "transferSyntaxUid" TEXT,
    "outcome" "Outcome" NOT NULL,
    "answerCode" TEXT,
    "answer" BYTEA,
    "contentKey" TEXT,
    "controlIdReused" BOOLEAN NOT NULL DEFAULT false,
    "remarks" TEXT[],

    CONSTRAINT "Message_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Delivery" (
    "id" SERIAL NOT NULL,
    "destination" TEXT NOT NULL,
    "messageId" INTEGER NOT NULL,
    "effect" TEXT NOT NULL,
    "deliveryStatus" "DeliveryStatus" NOT NULL,
    "orderId" INTEGER,
    "procedureId" INTEGER,
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "createdAt" TIMESTAMPTZ(3) NOT NULL,
    "lastAttemptAt" TIMESTAMPTZ(3),
    "settledAt" TIMESTAMPTZ(3),
    "lastError" TEXT,

    CONSTRAINT "Delivery_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "History" (
    "id" SERIAL NOT NULL,
    "procedureId" INTEGER NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "event" TEXT NOT NULL,
    "fromState" TEXT NOT NULL,
    "toState" TEXT NOT NULL,
    "messageId" INTEGER,
    "causedBy" TEXT,
    "remark" TEXT,

    CONSTRAINT "History_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "Patient_nameKey_idx" ON "Patient"("nameKey" text_pattern_ops);

-- CreateIndex
CREATE INDEX "PatientIdentifier_patientId_idx" ON "PatientIdentifier"("patientId");

-- CreateIndex
CREATE UNIQUE INDEX "PatientIdentifier_value_assigningAuthority_key" ON "PatientIdentifier"("value", "assigningAuthority");

-- CreateIndex
CREATE UNIQUE INDEX "PatientIdentifier_value_universalId_key" ON "PatientIdentifier"("value", "universalId");

-- CreateIndex
CREATE UNIQUE INDEX "Visit_patientId_visitNumber_assigningAuthority_key" ON "Visit"("patientId", "visitNumber", "assigningAuthority");

-- CreateIndex
CREATE UNIQUE INDEX "Order_fillerOrderNumber_key" ON "Order"("fillerOrderNumber");

-- CreateIndex
CREATE UNIQUE INDEX "Order_accessionNumber_key" ON "Order"("accessionNumber");

-- CreateIndex
CREATE INDEX "Order_patientId_idx" ON "Order"("patientId");

-- CreateIndex
CREATE INDEX "Order_visitId_idx" ON "Order"("visitId");

-- CreateIndex
CREATE INDEX "Order_messageId_idx" ON "Order"("messageId");

-- CreateIndex
CREATE UNIQUE INDEX "Order_placerOrderNumber_placerOrderIssuer_key" ON "Order"("placerOrderNumber", "placerOrderIssuer");

-- CreateIndex
CREATE UNIQUE INDEX "RequestedProcedure_requestedProcedureId_key" ON "RequestedProcedure"("requestedProcedureId");

-- CreateIndex
CREATE UNIQUE INDEX "RequestedProcedure_studyInstanceUid_key" ON "RequestedProcedure"("studyInstanceUid");

-- CreateIndex
CREATE INDEX "RequestedProcedure_orderId_idx" ON "RequestedProcedure"("orderId");

-- CreateIndex
CREATE INDEX "RequestedProcedure_state_idx" ON "RequestedProcedure"("state");

-- CreateIndex
CREATE UNIQUE INDEX "ScheduledProcedureStep_scheduledProcedureStepId_key" ON "ScheduledProcedureStep"("scheduledProcedureStepId");

-- CreateIndex
CREATE INDEX "ScheduledProcedureStep_procedureId_idx" ON "ScheduledProcedureStep"("procedureId");

-- CreateIndex
CREATE INDEX "ScheduledProcedureStep_stepStatus_startDate_startTime_idx" ON "ScheduledProcedureStep"("stepStatus", "startDate", "startTime");

-- CreateIndex
CREATE INDEX "ScheduledProcedureStep_modality_stepStatus_startDate_idx" ON "ScheduledProcedureStep"("modality", "stepStatus", "startDate");

-- CreateIndex
CREATE INDEX "ScheduledProcedureStep_scheduledStationAeTitles_idx" ON "ScheduledProcedureStep" USING GIN ("scheduledStationAeTitles");

-- CreateIndex
CREATE UNIQUE INDEX "PerformedProcedureStep_sopInstanceUid_key" ON "PerformedProcedureStep"("sopInstanceUid");

-- CreateIndex
CREATE INDEX "PerformedProcedureStep_exception_idx" ON "PerformedProcedureStep"("exception");

-- CreateIndex
CREATE INDEX "PerformedProcedureStep_studyInstanceUids_idx" ON "PerformedProcedureStep" USING GIN ("studyInstanceUids");

-- CreateIndex
CREATE INDEX "PerformedStepLink_performedStepId_idx" ON "PerformedStepLink"("performedStepId");

-- CreateIndex
CREATE INDEX "ReferencedInstance_sopInstanceUid_idx" ON "ReferencedInstance"("sopInstanceUid");

-- CreateIndex
CREATE INDEX "InstanceAvailability_studyInstanceUid_idx" ON "InstanceAvailability"("studyInstanceUid");

-- CreateIndex
CREATE UNIQUE INDEX "Message_contentKey_key" ON "Message"("contentKey");

-- CreateIndex
CREATE INDEX "Message_sendingApplication_sendingFacility_controlId_idx" ON "Message"("sendingApplication", "sendingFacility", "controlId");

-- CreateIndex
CREATE INDEX "Message_controlId_idx" ON "Message"("controlId");

-- CreateIndex
CREATE INDEX "Message_at_idx" ON "Message"("at");

-- CreateIndex
CREATE UNIQUE INDEX "Delivery_messageId_key" ON "Delivery"("messageId");

-- CreateIndex
CREATE INDEX "Delivery_destination_deliveryStatus_id_idx" ON "Delivery"("destination", "deliveryStatus", "id");

-- CreateIndex
CREATE INDEX "Delivery_orderId_idx" ON "Delivery"("orderId");

-- CreateIndex
CREATE INDEX "Delivery_procedureId_idx" ON "Delivery"("procedureId");

-- CreateIndex
CREATE INDEX "History_procedureId_id_idx" ON "History"("procedureId", "id");

-- CreateIndex
CREATE INDEX "History_messageId_idx" ON "History"("messageId");

-- AddForeignKey
ALTER TABLE "Patient" ADD CONSTRAINT "Patient_registeredByMessageId_fkey" FOREIGN KEY ("registeredByMessageId") REFERENCES "Message"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "PatientIdentifier" ADD CONSTRAINT "PatientIdentifier_patientId_fkey" FOREIGN KEY ("patientId") REFERENCES "Patient"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Visit" ADD CONSTRAINT "Visit_patientId_fkey" FOREIGN KEY ("patientId") REFERENCES "Patient"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Order" ADD CONSTRAINT "Order_patientId_fkey" FOREIGN KEY ("patientId") REFERENCES "Patient"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Order" ADD CONSTRAINT "Order_visitId_fkey" FOREIGN KEY ("visitId") REFERENCES "Visit"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Order" ADD CONSTRAINT "Order_messageId_fkey" FOREIGN KEY ("messageId") REFERENCES "Message"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "RequestedProcedure" ADD CONSTRAINT "RequestedProcedure_orderId_fkey" FOREIGN KEY ("orderId") REFERENCES "Order"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "ScheduledProcedureStep" ADD CONSTRAINT "ScheduledProcedureStep_procedureId_fkey" FOREIGN KEY ("procedureId") REFERENCES "RequestedProcedure"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "PerformedStepLink" ADD CONSTRAINT "PerformedStepLink_stepId_fkey" FOREIGN KEY ("stepId") REFERENCES "ScheduledProcedureStep"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "PerformedStepLink" ADD CONSTRAINT "PerformedStepLink_performedStepId_fkey" FOREIGN KEY ("performedStepId") REFERENCES "PerformedProcedureStep"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "ReferencedInstance" ADD CONSTRAINT "ReferencedInstance_performedStepId_fkey" FOREIGN KEY ("performedStepId") REFERENCES "PerformedProcedureStep"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Delivery" ADD CONSTRAINT "Delivery_messageId_fkey" FOREIGN KEY ("messageId") REFERENCES "Message"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Delivery" ADD CONSTRAINT "Delivery_orderId_fkey" FOREIGN KEY ("orderId") REFERENCES "Order"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Delivery" ADD CONSTRAINT "Delivery_procedureId_fkey" FOREIGN KEY ("procedureId") REFERENCES "RequestedProcedure"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "History" ADD CONSTRAINT "History_procedureId_fkey" FOREIGN KEY ("procedureId") REFERENCES "RequestedProcedure"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "History" ADD CONSTRAINT "History_messageId_fkey" FOREIGN KEY ("messageId") REFERENCES "Message"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- Numbers of ours: never reused, gaps allowed. Prisma has no model for a sequence that no column owns.
CREATE SEQUENCE "accession_number_seq";
CREATE SEQUENCE "filler_order_number_seq";
CREATE SEQUENCE "requested_procedure_id_seq";
CREATE SEQUENCE "scheduled_procedure_step_id_seq";

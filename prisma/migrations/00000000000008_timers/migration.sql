-- CreateTable: what is waited for, and until when.
CREATE TABLE "Timer" (
    "id" SERIAL NOT NULL,
    "kind" TEXT NOT NULL,
    "stepId" INTEGER,
    "performedStepId" INTEGER,
    "procedureId" INTEGER,
    "orderId" INTEGER,
    "waitsFrom" TIMESTAMPTZ(3) NOT NULL,
    "since" TIMESTAMPTZ(3) NOT NULL,
    "dueAt" TIMESTAMPTZ(3),
    "firedAt" TIMESTAMPTZ(3),
    "effect" TEXT,
    "settledAt" TIMESTAMPTZ(3),

    CONSTRAINT "Timer_pkey" PRIMARY KEY ("id")
);

-- What waits already. The settings and the time zone of the site are not known here: each start puts "since" and "dueAt"
-- of what has not fired as they say.
INSERT INTO "Timer" ("kind", "stepId", "waitsFrom", "since", "dueAt")
SELECT 'stepNotStarted', s."id", r."updatedAt",
       GREATEST((s."startDate" + s."startTime") AT TIME ZONE 'UTC', r."updatedAt"),
       GREATEST((s."startDate" + s."startTime") AT TIME ZONE 'UTC', r."updatedAt") + interval '24 hours'
FROM "ScheduledProcedureStep" s
JOIN "RequestedProcedure" r ON r."id" = s."procedureId"
JOIN "Order" o ON o."id" = r."orderId"
WHERE s."stepStatus" IN ('SCHEDULED', 'ARRIVED', 'READY') AND r."state" IN ('planned', 'scheduled', 'inProgress')
  AND r."report" IN ('none', 'cancelled') AND NOT o."unreconciled"
ORDER BY s."id";

INSERT INTO "Timer" ("kind", "performedStepId", "waitsFrom", "since", "dueAt")
SELECT 'performedStepNotEnded', "id", "updatedAt", "updatedAt", "updatedAt" + interval '24 hours'
FROM "PerformedProcedureStep" WHERE "performedProcedureStepStatus" = 'IN PROGRESS' ORDER BY "id";

INSERT INTO "Timer" ("kind", "orderId", "waitsFrom", "since", "dueAt")
SELECT 'orderNumberNotAssigned', "id", "createdAt", "createdAt", "createdAt" + interval '1 hour'
FROM "Order" WHERE "numberPending" AND "endedBy" IS NULL ORDER BY "id";

-- The alarm about images that do not come was part of the asking for them.
INSERT INTO "Timer" ("kind", "procedureId", "waitsFrom", "since", "dueAt", "firedAt", "effect")
SELECT 'imagesNotAvailable', "procedureId", "since", "since", "since" + interval '24 hours', "alarmedAt",
       CASE WHEN "alarmedAt" IS NOT NULL THEN 'alarm' END
FROM "AvailabilityQuery" ORDER BY "procedureId";

-- AlterTable
ALTER TABLE "AvailabilityQuery" DROP COLUMN "alarmedAt";

-- CreateIndex: only what can become due.
CREATE INDEX "Timer_dueAt_idx" ON "Timer"("dueAt") WHERE "firedAt" IS NULL;

-- CreateIndex
CREATE INDEX "Timer_settledAt_firedAt_idx" ON "Timer"("settledAt", "firedAt");

-- CreateIndex
CREATE INDEX "Timer_stepId_idx" ON "Timer"("stepId") WHERE "stepId" IS NOT NULL;

-- CreateIndex
CREATE INDEX "Timer_performedStepId_idx" ON "Timer"("performedStepId") WHERE "performedStepId" IS NOT NULL;

-- CreateIndex
CREATE INDEX "Timer_procedureId_idx" ON "Timer"("procedureId") WHERE "procedureId" IS NOT NULL;

-- CreateIndex
CREATE INDEX "Timer_orderId_idx" ON "Timer"("orderId") WHERE "orderId" IS NOT NULL;

-- AddForeignKey
ALTER TABLE "Timer" ADD CONSTRAINT "Timer_stepId_fkey" FOREIGN KEY ("stepId") REFERENCES "ScheduledProcedureStep"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Timer" ADD CONSTRAINT "Timer_performedStepId_fkey" FOREIGN KEY ("performedStepId") REFERENCES "PerformedProcedureStep"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Timer" ADD CONSTRAINT "Timer_procedureId_fkey" FOREIGN KEY ("procedureId") REFERENCES "RequestedProcedure"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Timer" ADD CONSTRAINT "Timer_orderId_fkey" FOREIGN KEY ("orderId") REFERENCES "Order"("id") ON DELETE SET NULL ON UPDATE CASCADE;

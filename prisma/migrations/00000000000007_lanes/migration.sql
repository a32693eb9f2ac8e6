-- Lanes that a person stops, and messages that a person sends again or closes.
ALTER TYPE "Outcome" ADD VALUE 'SKIPPED';

-- AlterTable
ALTER TABLE "Delivery" ADD COLUMN     "inFlightSince" TIMESTAMPTZ(3),
ADD COLUMN     "lastAction" JSONB;

-- AlterTable
ALTER TABLE "Order" ADD COLUMN     "alarmedAt" TIMESTAMPTZ(3);

-- AlterTable
ALTER TABLE "RequestedProcedure" ADD COLUMN     "uncatalogued" BOOLEAN NOT NULL DEFAULT false;

-- CreateTable
CREATE TABLE "LanePause" (
    "id" SERIAL NOT NULL,
    "destination" TEXT NOT NULL,
    "pausedAt" TIMESTAMPTZ(3) NOT NULL,
    "pausedBy" TEXT NOT NULL,
    "reason" TEXT,
    "resumedAt" TIMESTAMPTZ(3),
    "resumedBy" TEXT,
    "resumeReason" TEXT,

    CONSTRAINT "LanePause_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "SettledException" (
    "id" SERIAL NOT NULL,
    "exception" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "settledBy" TEXT NOT NULL,
    "reason" TEXT NOT NULL,

    CONSTRAINT "SettledException_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "LanePause_destination_idx" ON "LanePause"("destination");

-- CreateIndex
CREATE INDEX "SettledException_exception_idx" ON "SettledException"("exception");

-- A lane is stopped once, whoever asks at the same time.
CREATE UNIQUE INDEX "LanePause_open_key" ON "LanePause"("destination") WHERE "resumedAt" IS NULL;

-- What a person has to look at is few among many: an index for each kind, newest first.
CREATE INDEX "Delivery_refused_idx" ON "Delivery"("settledAt" DESC, "id" DESC) WHERE "deliveryStatus" = 'REFUSED';
CREATE INDEX "Order_alarm_idx" ON "Order"("id") WHERE "alarm" IS NOT NULL;
CREATE INDEX "RequestedProcedure_uncatalogued_idx" ON "RequestedProcedure"("id") WHERE "uncatalogued";

-- CreateTable: RAD-11, when a completed procedure's images are asked for.
CREATE TABLE "AvailabilityQuery" (
    "procedureId" INTEGER NOT NULL,
    "since" TIMESTAMPTZ(3) NOT NULL,
    "nextAt" TIMESTAMPTZ(3) NOT NULL,
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "alarmedAt" TIMESTAMPTZ(3),

    CONSTRAINT "AvailabilityQuery_pkey" PRIMARY KEY ("procedureId")
);

-- CreateIndex
CREATE INDEX "AvailabilityQuery_nextAt_idx" ON "AvailabilityQuery"("nextAt");

-- AddForeignKey
ALTER TABLE "AvailabilityQuery" ADD CONSTRAINT "AvailabilityQuery_procedureId_fkey" FOREIGN KEY ("procedureId") REFERENCES "RequestedProcedure"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

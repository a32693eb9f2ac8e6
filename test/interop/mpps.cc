// A modality made of DCMTK's libraries: asks the worklist for a patient, performs the first step of the answer, asks
// again. Prints one line a response: operation, status, number of matches.
//
// mpps HOST PORT CALLED CALLING PATIENT-ID

#include "dcmtk/config/osconfig.h"

#include "dcmtk/dcmdata/dcdeftag.h"
#include "dcmtk/dcmdata/dcuid.h"
#include "dcmtk/dcmnet/scu.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

static void require(const OFCondition &condition, const char *what)
{
  if (condition.good()) return;
  std::fprintf(stderr, "%s: %s\n", what, condition.text());
  std::exit(1);
}

static OFString newUid()
{
  char uid[65];
  return dcmGenerateUniqueIdentifier(uid, SITE_INSTANCE_UID_ROOT);
}

/** DcmSCU has no MPPS of its own. */
class Modality : public DcmSCU
{
public:
  Uint16 create(const OFString &uid, DcmDataset &content)
  {
    T_DIMSE_Message request, response;
    std::memset(&request, 0, sizeof(request));
    request.CommandField = DIMSE_N_CREATE_RQ;
    T_DIMSE_N_CreateRQ &command = request.msg.NCreateRQ;
    command.MessageID = ++sent;
    command.DataSetType = DIMSE_DATASET_PRESENT;
    command.opts = O_NCREATE_AFFECTEDSOPINSTANCEUID;
    OFStandard::strlcpy(command.AffectedSOPClassUID, mpps(), sizeof(command.AffectedSOPClassUID));
    OFStandard::strlcpy(command.AffectedSOPInstanceUID, uid.c_str(), sizeof(command.AffectedSOPInstanceUID));
    exchange(request, content, response);
    const T_DIMSE_N_CreateRSP &answer = response.msg.NCreateRSP;
    if (response.CommandField != DIMSE_N_CREATE_RSP) std::exit(1);
    skip(answer.DataSetType);
    return answer.DimseStatus;
  }

  Uint16 set(const OFString &uid, DcmDataset &content)
  {
    T_DIMSE_Message request, response;
    std::memset(&request, 0, sizeof(request));
    request.CommandField = DIMSE_N_SET_RQ;
    T_DIMSE_N_SetRQ &command = request.msg.NSetRQ;
    command.MessageID = ++sent;
    command.DataSetType = DIMSE_DATASET_PRESENT;
    OFStandard::strlcpy(command.RequestedSOPClassUID, mpps(), sizeof(command.RequestedSOPClassUID));
    OFStandard::strlcpy(command.RequestedSOPInstanceUID, uid.c_str(), sizeof(command.RequestedSOPInstanceUID));
    exchange(request, content, response);
    const T_DIMSE_N_SetRSP &answer = response.msg.NSetRSP;
    if (response.CommandField != DIMSE_N_SET_RSP) std::exit(1);
    skip(answer.DataSetType);
    return answer.DimseStatus;
  }

  /** The matches, without the final response, whose status is given. */
  Uint16 find(DcmDataset &keys, OFList<QRResponse *> &matches)
  {
    const T_ASC_PresentationContextID id = findPresentationContextID(UID_FINDModalityWorklistInformationModel, "");
    require(sendFINDRequest(id, &keys, &matches), "C-FIND");
    QRResponse *last = matches.back();
    const Uint16 status = last->m_status;
    matches.pop_back();
    delete last;
    return status;
  }

private:
  // Requests that the base class sends are answered before ours, so equal numbers do not meet.
  Uint16 sent = 0;

  static const char *mpps() { return UID_ModalityPerformedProcedureStepSOPClass; }

  void exchange(T_DIMSE_Message &request, DcmDataset &content, T_DIMSE_Message &response)
  {
    T_ASC_PresentationContextID id = findPresentationContextID(mpps(), "");
    require(sendDIMSEMessage(id, &request, &content), "sending");
    DcmDataset *detail = NULL;
    require(receiveDIMSECommand(&id, &response, &detail), "receiving");
    delete detail;
  }

  void skip(T_DIMSE_DataSetType type)
  {
    if (type == DIMSE_DATASET_NULL) return;
    T_ASC_PresentationContextID id = 0;
    DcmDataset *dataset = NULL;
    require(receiveDIMSEDataset(&id, &dataset), "receiving a data set");
    delete dataset;
  }
};

static void putKeys(DcmDataset &keys, const char *patientId)
{
  const DcmTagKey empty[] = {DCM_AccessionNumber, DCM_PatientName, DCM_PatientBirthDate, DCM_PatientSex,
                             DCM_StudyInstanceUID, DCM_RequestedProcedureID, DCM_RequestedProcedureDescription};
  for (const DcmTagKey &tag : empty) require(keys.insertEmptyElement(tag), "key");
  require(keys.insertEmptyElement(DCM_ReferencedStudySequence), "key");
  require(keys.putAndInsertString(DCM_PatientID, patientId), "key");
  // With an item of zero length, the whole item is asked for (PS3.4 C.2.2.2.6).
  DcmItem *step = NULL;
  require(keys.findOrCreateSequenceItem(DCM_ScheduledProcedureStepSequence, step), "key");
}

static void copy(DcmItem &from, DcmItem &to, const DcmTagKey &tag)
{
  if (from.findAndInsertCopyOfElement(tag, &to).bad()) require(to.insertEmptyElement(tag), "copy");
}

/** PS3.4 table F.7.2-1: what a modality has from the worklist, and what it adds. */
static void fillCreation(DcmDataset &row, DcmDataset &mpps)
{
  DcmItem *step = NULL, *item = NULL;
  require(row.findAndGetSequenceItem(DCM_ScheduledProcedureStepSequence, step), "step");
  require(mpps.findOrCreateSequenceItem(DCM_ScheduledStepAttributesSequence, item), "attributes");
  const DcmTagKey ofRequest[] = {DCM_StudyInstanceUID, DCM_ReferencedStudySequence, DCM_AccessionNumber,
                                 DCM_RequestedProcedureID, DCM_RequestedProcedureDescription};
  for (const DcmTagKey &tag : ofRequest) copy(row, *item, tag);
  const DcmTagKey ofStep[] = {DCM_ScheduledProcedureStepID, DCM_ScheduledProcedureStepDescription,
                              DCM_ScheduledProtocolCodeSequence};
  for (const DcmTagKey &tag : ofStep) copy(*step, *item, tag);
  const DcmTagKey ofPatient[] = {DCM_PatientName, DCM_PatientID, DCM_PatientBirthDate, DCM_PatientSex};
  for (const DcmTagKey &tag : ofPatient) copy(row, mpps, tag);
  if (row.tagExists(DCM_SpecificCharacterSet)) copy(row, mpps, DCM_SpecificCharacterSet);
  copy(*step, mpps, DCM_Modality);
  const DcmTagKey empty[] = {DCM_ReferencedPatientSequence, DCM_PerformedStationName, DCM_PerformedLocation,
                             DCM_PerformedProcedureStepDescription, DCM_PerformedProcedureTypeDescription,
                             DCM_ProcedureCodeSequence, DCM_PerformedProcedureStepEndDate,
                             DCM_PerformedProcedureStepEndTime, DCM_PerformedProtocolCodeSequence,
                             DCM_PerformedSeriesSequence};
  for (const DcmTagKey &tag : empty) require(mpps.insertEmptyElement(tag), "attribute");
  require(mpps.putAndInsertString(DCM_PerformedProcedureStepID, "PPS1"), "attribute");
  require(mpps.putAndInsertString(DCM_StudyID, "1"), "attribute");
  require(mpps.putAndInsertString(DCM_PerformedStationAETitle, "CXX1"), "attribute");
  require(mpps.putAndInsertString(DCM_PerformedProcedureStepStartDate, "20300115"), "attribute");
  require(mpps.putAndInsertString(DCM_PerformedProcedureStepStartTime, "091500"), "attribute");
  require(mpps.putAndInsertString(DCM_PerformedProcedureStepStatus, "IN PROGRESS"), "attribute");
}

static void fillEnd(DcmDataset &mpps)
{
  require(mpps.putAndInsertString(DCM_PerformedProcedureStepStatus, "COMPLETED"), "attribute");
  require(mpps.putAndInsertString(DCM_PerformedProcedureStepEndDate, "20300115"), "attribute");
  require(mpps.putAndInsertString(DCM_PerformedProcedureStepEndTime, "093000"), "attribute");
  DcmItem *series = NULL, *image = NULL;
  require(mpps.findOrCreateSequenceItem(DCM_PerformedSeriesSequence, series), "series");
  const DcmTagKey empty[] = {DCM_PerformingPhysicianName, DCM_OperatorsName, DCM_SeriesDescription,
                             DCM_RetrieveAETitle, DCM_ReferencedNonImageCompositeSOPInstanceSequence};
  for (const DcmTagKey &tag : empty) require(series->insertEmptyElement(tag), "series");
  require(series->putAndInsertString(DCM_ProtocolName, "routine"), "series");
  require(series->putAndInsertString(DCM_SeriesInstanceUID, newUid().c_str()), "series");
  require(series->findOrCreateSequenceItem(DCM_ReferencedImageSequence, image), "image");
  require(image->putAndInsertString(DCM_ReferencedSOPClassUID, UID_ComputedRadiographyImageStorage), "image");
  require(image->putAndInsertString(DCM_ReferencedSOPInstanceUID, newUid().c_str()), "image");
}

static void print(const char *operation, Uint16 status)
{
  std::printf("%s %04X\n", operation, static_cast<unsigned>(status));
}

int main(int argc, char **argv)
{
  if (argc != 6) return 2;
  Modality modality;
  modality.setPeerHostName(argv[1]);
  modality.setPeerPort(static_cast<Uint16>(std::atoi(argv[2])));
  modality.setPeerAETitle(argv[3]);
  modality.setAETitle(argv[4]);
  modality.setACSETimeout(20);
  modality.setDIMSETimeout(20);
  modality.setDIMSEBlockingMode(DIMSE_NONBLOCKING);
  OFList<OFString> syntaxes;
  syntaxes.push_back(UID_LittleEndianExplicitTransferSyntax);
  syntaxes.push_back(UID_LittleEndianImplicitTransferSyntax);
  require(modality.addPresentationContext(UID_FINDModalityWorklistInformationModel, syntaxes), "context");
  require(modality.addPresentationContext(UID_ModalityPerformedProcedureStepSOPClass, syntaxes), "context");
  require(modality.initNetwork(), "network");
  require(modality.negotiateAssociation(), "association");

  DcmDataset keys;
  putKeys(keys, argv[5]);
  OFList<QRResponse *> rows;
  Uint16 status = modality.find(keys, rows);
  std::printf("C-FIND %04X %u\n", static_cast<unsigned>(status), static_cast<unsigned>(rows.size()));
  if (rows.empty()) return 1;

  const OFString uid = newUid();
  DcmDataset creation, end;
  fillCreation(*rows.front()->m_dataset, creation);
  fillEnd(end);
  print("N-CREATE", modality.create(uid, creation));
  print("N-CREATE", modality.create(uid, creation));
  print("N-SET", modality.set(uid, end));
  print("N-SET", modality.set(uid, end));

  OFList<QRResponse *> left;
  status = modality.find(keys, left);
  std::printf("C-FIND %04X %u\n", static_cast<unsigned>(status), static_cast<unsigned>(left.size()));
  require(modality.releaseAssociation(), "release");
  return 0;
}

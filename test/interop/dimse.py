"""A DIMSE-N service user made of python3-odil: sends the requests on standard input, each on an association of its own.

dimse.py HOST PORT CALLED CALLING < JSON list of {"request": "N-CREATE" | "N-SET" | "N-GET" | "C-ECHO" | "C-FIND", "class": UID,
"instance": UID, "dataset": DICOM JSON}; prints a JSON list of {"status": number, "datasets": [DICOM JSON]}.
"""

import json
import sys

import odil

IMPLICIT = "1.2.840.10008.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"
PENDING = (0xFF00, 0xFF01)


def associate(host, port, called, calling, sop_class):
    association = odil.Association()
    association.set_peer_host(host)
    association.set_peer_port(port)
    context = odil.AssociationParameters.PresentationContext(
        sop_class, [EXPLICIT, IMPLICIT], odil.AssociationParameters.PresentationContext.Role.SCU
    )
    association.update_parameters().set_called_ae_title(called).set_calling_ae_title(
        calling
    ).set_presentation_contexts([context])
    association.associate()
    return association


def get_of(request, number):
    """odil has no class for N-GET: a message of its command set (PS3.7 10.3.2)."""
    command = odil.DataSet()
    command.add("RequestedSOPClassUID", [request["class"]])
    command.add("CommandField", [0x0110])
    command.add("MessageID", [number])
    command.add("CommandDataSetType", [0x0101])
    command.add("RequestedSOPInstanceUID", [request["instance"]])
    return odil.messages.Message(command)


def message_of(request, number):
    kind, sop_class = request["request"], request["class"]
    if kind == "C-ECHO":
        return odil.messages.CEchoRequest(number, sop_class)
    if kind == "N-GET":
        return get_of(request, number)
    dataset = odil.from_json(json.dumps(request["dataset"]))
    if kind == "C-FIND":
        return odil.messages.CFindRequest(number, sop_class, 0, dataset)
    if kind == "N-CREATE":
        message = odil.messages.NCreateRequest(number, sop_class, dataset)
        message.set_affected_sop_instance_uid(request["instance"])
        return message
    return odil.messages.NSetRequest(number, sop_class, request["instance"], dataset)


def carry_out(association, request):
    association.send_message(message_of(request, association.next_message_id()), request["class"])
    datasets = []
    while True:
        received = association.receive_message()
        response = odil.messages.Response(received)
        if received.has_data_set():
            datasets.append(json.loads(odil.as_json(received.get_data_set())))
        if response.get_status() not in PENDING:
            return {"status": response.get_status(), "datasets": datasets}


host, port, called, calling = sys.argv[1:]
outcomes = []
for request in json.load(sys.stdin):
    association = associate(host, int(port), called, calling, request["class"])
    outcomes.append(carry_out(association, request))
    association.release()
print(json.dumps(outcomes))

"""pydicom as a codec between bytes and DICOM JSON, by whole lists.

codec.py < JSON list of {"write": DICOM JSON, "syntax": UID, "characterSet": [term, ...], "file": bool} or
{"read": base64, "syntax": UID; without it a DICOM file}; prints a JSON list of base64 or DICOM JSON. A warning of
pydicom ends it: text that it had to guess is not what was meant.
"""

import base64
import io
import json
import sys
import warnings

from pydicom import dcmread, dcmwrite
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import ImplicitVRLittleEndian

WORKLIST = "1.2.840.10008.5.1.4.31"


def write(job):
    dataset = Dataset.from_json(job["write"])
    dataset.SpecificCharacterSet = job["characterSet"]
    dataset.is_little_endian = True
    dataset.is_implicit_VR = job["syntax"] == ImplicitVRLittleEndian
    target = io.BytesIO()
    if not job.get("file"):
        dcmwrite(target, dataset, write_like_original=True)
        return base64.b64encode(target.getvalue()).decode()
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = job["syntax"]
    meta.MediaStorageSOPClassUID = WORKLIST
    meta.MediaStorageSOPInstanceUID = "2.25.1"
    file = FileDataset(None, dataset, file_meta=meta, preamble=b"\0" * 128)
    file.is_little_endian, file.is_implicit_VR = True, dataset.is_implicit_VR
    dcmwrite(target, file, write_like_original=False)
    return base64.b64encode(target.getvalue()).decode()


def read(job):
    source = io.BytesIO(base64.b64decode(job["read"]))
    if "syntax" not in job:
        return dcmread(source).to_json_dict()
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = job["syntax"]
    head = io.BytesIO()
    dcmwrite(head, FileDataset(None, Dataset(), file_meta=meta, preamble=b"\0" * 128), write_like_original=True)
    return dcmread(io.BytesIO(head.getvalue() + source.getvalue()), force=True).to_json_dict()


warnings.simplefilter("error")
print(json.dumps([write(job) if "write" in job else read(job) for job in json.load(sys.stdin)]))

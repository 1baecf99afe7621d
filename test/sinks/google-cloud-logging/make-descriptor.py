"""Makes logging.binpb: what google.logging.v2.WriteLogEntriesRequest is made of, as Google publishes it (Apache-2.0).

    python3 -m venv v && v/bin/pip install google-cloud-logging && v/bin/python make-descriptor.py
"""
import re
from pathlib import Path

from google.cloud.logging_v2.types import WriteLogEntriesRequest
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet

files = {}


def prepare(message):
    """Gives fields their names in JSON, and takes the options, which the messages' form does not need."""
    for field in message.field:
        field.ClearField("options")
        field.json_name = re.sub("_([a-z0-9])", lambda match: match.group(1).upper(), field.name)
    for nested in message.nested_type:
        prepare(nested)


def add(descriptor):
    if descriptor.name in files:
        return
    for dependency in descriptor.dependencies:
        add(dependency)
    file = FileDescriptorProto()
    descriptor.CopyToProto(file)
    file.ClearField("options")
    file.ClearField("service")
    for message in file.message_type:
        prepare(message)
    files[descriptor.name] = file


add(WriteLogEntriesRequest.pb().DESCRIPTOR.file)
target = Path(__file__).with_name("logging.binpb")
target.write_bytes(FileDescriptorSet(file=list(files.values())).SerializeToString(deterministic=True))

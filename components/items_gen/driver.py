"""Driver of ItemsGen: decides by the content of the files whether cached items are reused."""

from __future__ import annotations

from tfx.dsl.components.base import base_driver
from tfx.orchestration import data_types_utils, metadata
from tfx.orchestration.portable import base_driver as portable_base_driver
from tfx.orchestration.portable import data_types
from tfx.proto.orchestration import driver_output_pb2

from components.errors import UserError
from components.example_gen.inputs.input_files import fingerprint, input_files

FINGERPRINT = "fingerprint"


class Driver(base_driver.BaseDriver, portable_base_driver.BaseDriver):
    """Adds a fingerprint of the files, which TFX's cache compares."""

    def __init__(self, metadata_handle: metadata.Metadata) -> None:
        """Initializes both of TFX's interfaces."""
        base_driver.BaseDriver.__init__(self, metadata_handle)
        portable_base_driver.BaseDriver.__init__(self, metadata_handle)

    def run(self, execution_info: data_types.ExecutionInfo) -> driver_output_pb2.DriverOutput:
        """Called by TFX's launcher.

        Raises:
            UserError: there is no readable file.
        """
        properties = execution_info.exec_properties
        try:
            found = fingerprint(input_files(properties["path"]))
        except UserError as error:
            raise UserError(f"`{properties['setting']}`: {error}") from None
        output = driver_output_pb2.DriverOutput()
        for name, value in {**properties, FINGERPRINT: found}.items():
            if value is not None:
                data_types_utils.set_metadata_value(output.exec_properties[name], value)
        return output

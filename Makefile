# Two commands do everything on a fresh machine with Python 3.11: make demo, make test.
VENV ?= .venv
export VENV
# albumentations otherwise asks a package index for its latest version at every import
export NO_ALBUMENTATIONS_UPDATE = 1
BIN = $(VENV)/bin
.PHONY: help demo test check wheel docs clean

help:
	@echo "make demo   set up, then run the first-place example on rendered belugas (about five minutes)"
	@echo "make demo DATA=DIR   the same on real photos in the competition's layout (under 45 minutes)"
	@echo "make test   set up, then check style, types and floors, and run the whole suite"
	@echo "make check  style, types and the order of the floors alone"
	@echo "make docs   draw the pictures of the docs again"
	@echo "make clean  remove the virtual environment and everything built"

demo:
	@tools/venv.sh plain
	@$(BIN)/python examples/whaledo_first_place.py $(if $(DATA),--data "$(DATA)" --out demo/real)

test: wheel check
	@echo "whalereid: running the suite ..." >&2
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest $(or $(PYTEST_ARGS),--numprocesses auto --maxprocesses 8 --dist loadfile)

wheel:
	@tools/venv.sh test
	@rm -rf $(VENV)/wheel
	@$(BIN)/python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir $(VENV)/wheel .
	@$(BIN)/python -P tools/check_wheel.py $(VENV)/wheel/whalereid-*.whl

check:
	@tools/venv.sh test
	@echo "whalereid: checking style, types and floors ..." >&2
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

docs:
	@tools/venv.sh test
	@for script in docs/figures/*.py; do echo "whalereid: $$script" >&2; $(BIN)/python $$script || exit 1; done

clean:
	rm -rf $(VENV) build dist demo .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

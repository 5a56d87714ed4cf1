"""Every job that a person or CI runs. `nox -l` lists them; words after ``--`` go to the job."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import nox

PYPROJECT = nox.project.load_toml("pyproject.toml")
PYTHONS = nox.project.python_versions(PYPROJECT)
OUT = Path("reports/out")
OUT.mkdir(parents=True, exist_ok=True)  # no command makes the folder of what it writes

nox.options.sessions = ["lint", "typecheck", "tests"]
nox.options.reuse_existing_virtualenvs = True
nox.options.error_on_missing_interpreters = False


def group(name: str) -> list[str]:
    """The requirements of a dependency group."""
    return list(nox.project.dependency_groups(PYPROJECT, name))


def run_tests(session: nox.Session, *install: str) -> None:
    """Install tiergate with the test tools and run pytest."""
    session.install("-e", ".[serve,otel,reconcile]", *group("test"), *install)
    session.run("pytest", "-n", "2", "-rs", *session.posargs)


@nox.session
def tests(session: nox.Session) -> None:
    """Run the tests with this Python."""
    run_tests(session)


@nox.session(name="tests-all", python=PYTHONS)
def tests_all(session: nox.Session) -> None:
    """Run the tests with each supported Python that is found."""
    run_tests(session)


@nox.session(name="tests-lowest")
def tests_lowest(session: nox.Session) -> None:
    """Run the tests with the oldest version of each dependency that is allowed."""
    lowest = [re.sub(r">=([^,]+).*", r"==\1", wanted) for wanted in PYPROJECT["project"]["dependencies"]]
    run_tests(session, *lowest)


@nox.session
def soak(session: nox.Session) -> None:
    """Run the fault tests in full: hundreds of kills, cuts, lost syncs, chaos (-- words for pytest)."""
    session.install("-e", ".[serve,reconcile]", *group("test"))
    session.run("pytest", "-n", "2", "-rs", "-m", "soak", *session.posargs)


@nox.session
def conformance(session: nox.Session) -> None:
    """Hold `tiergate serve` to MCP (official suite, Inspector) and its pages to axe-core; npm brings them."""
    session.install("-e", ".[serve]", *group("test"))
    programs = str(Path(session.virtualenv.location) / "npm")
    session.run("python", "tests/conformance/run.py", programs)
    words = ["-n", "2", "-rs", "tests/conformance", *session.posargs]
    session.run("pytest", *words, env={"TIERGATE_NPM": programs})


@nox.session
def lint(session: nox.Session) -> None:
    """Check style (ruff) and the walls between the packages (import-linter)."""
    session.install("-e", ".", *group("lint"))
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("lint-imports", "--no-cache", silent=True)


@nox.session
def typecheck(session: nox.Session) -> None:
    """Check types (mypy, strict)."""
    session.install("-e", ".[serve,otel]", *group("typecheck"))
    session.run("mypy")


@nox.session
def load(session: nox.Session) -> None:
    """Drive every router with one trace: reports/out/load.html (-- --quick, --thorough, --from PATH)."""
    session.install(".")
    session.run(
        "tiergate", "load", "-o", str(OUT / "run.json"), "--html", str(OUT / "load.html"), *session.posargs
    )


@nox.session
def profile(session: nox.Session) -> None:
    """Find out where the time of a load run goes: reports/out/profile.html (-- --quick, --operation NAME)."""
    session.install(".")
    session.run(
        *("tiergate", "profile", "-o", str(OUT / "profile.json"), "--html", str(OUT / "profile.html")),
        *session.posargs,
    )


@nox.session
def advise(session: nox.Session) -> None:
    """Say which optional steps are worth it: reports/out/advice.html (-- SRC, a task store)."""
    session.install(".")
    written = ("-o", str(OUT / "advice.json"), "--html", str(OUT / "advice.html"))
    session.run("tiergate", "advise", *session.posargs, *written)


@nox.session
def gate(session: nox.Session) -> None:
    """Judge reports/out/run.json by its budgets (-- paired --base main tests/bench), with the gate's code."""
    session.install(".")
    words = session.posargs or ["check", str(OUT / "run.json")]
    program = shutil.which("tiergate", path=session.bin)
    # nox knows one exit code for all failures; a gate has three.
    code = subprocess.run([str(program), "gate", *words], check=False).returncode
    if code:
        raise SystemExit(code)


@nox.session
def report(session: nox.Session) -> None:
    """Make reports/out/load.html of reports/out/run.json again."""
    session.install(".")
    words = session.posargs or [str(OUT / "run.json"), "-o", str(OUT / "load.html")]
    session.run("tiergate", "report", *words)


@nox.session
def migrate(session: nox.Session) -> None:
    """Move sessions from one store to another and verify them (-- SRC DST, addresses of stores)."""
    session.install(".")
    session.run("tiergate", "migrate", *session.posargs)


@nox.session
def reconcile(session: nox.Session) -> None:
    """Find out what of several plans is true: reports/out/reconcile.html (-- PLAN... --evidence FILE...)."""
    session.install(".[reconcile]")
    session.run("tiergate", "reconcile", "-o", str(OUT / "reconcile.html"), *session.posargs)


@nox.session
def plots(session: nox.Session) -> None:
    """Draw the plots of docs/explanation anew, from simulation: docs/images."""
    session.install(".")
    session.run("python", "-m", "tiergate_plugins.routing.plots", *(session.posargs or ["docs/images"]))


@nox.session
def bench(session: nox.Session) -> None:
    """Measure beside others (-- storage, pool, serve, flow, startup…): reports/out/bench-AREA.html."""
    area, *words = session.posargs or ["startup"]
    if area == "startup":
        session.install("-e", ".", *group("test"))
        session.run("python", "tests/bench/test_startup.py", *words)
        return
    extras = {"pool": "bench,bench-load", "serve": "serve,fast", "reconcile": "bench,reconcile"}.get(
        area, "bench"
    )
    session.install(f".[{extras}]")
    written = ("-o", str(OUT / f"bench-{area}.json"), "--html", str(OUT / f"bench-{area}.html"))
    session.run("tiergate", "bench", area, *written, *words)


@nox.session(name="gate-calibration")
def gate_calibration(session: nox.Session) -> None:
    """Count how often `gate paired` is wrong, beside pytest-benchmark's rules (-- --suites N --loads 0 1)."""
    session.install(".")
    session.run("python", "tests/gate/calibration", *session.posargs)

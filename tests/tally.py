"""tally.py: the closing line, and the file in which a longer run (.ci/run) adds up several of them (TOCSIN_TALLY)."""
import os


def close(passed, failed, skipped=0):
    """Prints the sum as the last line and returns the exit code. A run that tested nothing has failed."""
    if passed + failed == 0:
        failed = 1
        print("no test was run")
    if os.environ.get("TOCSIN_TALLY"):
        with open(os.environ["TOCSIN_TALLY"], "a", encoding="ascii") as out:
            out.write(f"{passed} {failed} {skipped}\n")
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""), flush=True)
    return 1 if failed else 0

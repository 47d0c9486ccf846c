"""Boots two vms by turns and says how they differ: boots.py BARE WITH ROUNDS

BARE is over at its MARK, WITH when its MARK and the receipt are there; WITH is then stopped by its agent. Prints medians of the
times and, of the pairs, the median of the differences with its 95 percent interval (order statistics, no distribution assumed).
"""
import math
import statistics
import subprocess
import sys
import time


def boot(name, words):
    """Seconds from the start until all words were said, and the process."""
    begin = time.monotonic()
    process = subprocess.Popen(["vmcred", "vm", "run", name, "--console", "--receipt-timeout", "1500"], stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    missing = set(words)
    said = []
    for line in process.stdout:
        said.append(line)
        missing -= {word for word in missing if word in line}
        if not missing:
            return time.monotonic() - begin, process
    sys.exit(f"{name} ended before it said {missing}:\n{''.join(said[-20:])}")


def end(process, name=None):
    """Ends a vm: by its agent where a name is given, and then says the seconds."""
    begin = time.monotonic()
    if name:
        subprocess.run(["vmcred", "vm", "stop", name], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    else:
        process.kill()
    process.stdout.read()
    process.wait()
    return time.monotonic() - begin


def interval(values):
    """The 95 percent interval of the median: (low, high)."""
    values = sorted(values)
    count = len(values)
    chance, rank = 0.0, 0
    while chance + math.comb(count, rank) / 2**count <= 0.025:
        chance += math.comb(count, rank) / 2**count
        rank += 1
    rank = max(rank - 1, 0)
    return values[rank], values[count - 1 - rank]


def main():
    bare, with_receipt, rounds = sys.argv[1], sys.argv[2], int(sys.argv[3])
    times = {bare: [], with_receipt: []}
    stops = []
    end(boot(bare, ["MARK"])[1])  # warms up what is read from disk
    for number in range(rounds):
        for name in ((bare, with_receipt), (with_receipt, bare))[number % 2]:
            took, process = boot(name, ["MARK"] if name == bare else ["MARK", ": ready"])
            times[name].append(took)
            if name == with_receipt:
                stops.append(end(process, name))
            else:
                end(process)
        print(f"round {number + 1}: {times[bare][-1]:.2f} s, {times[with_receipt][-1]:.2f} s, stop {stops[-1]:.2f} s", flush=True)
    ratios = [(b - a) / a * 100 for a, b in zip(times[bare], times[with_receipt])]
    low, high = interval(ratios)
    stop_low, stop_high = interval(stops)
    print(f"RESULT yes: bare {statistics.median(times[bare]):.2f} s, to the receipt {statistics.median(times[with_receipt]):.2f} s; of "
          f"{rounds} pairs the median difference {statistics.median(ratios):.1f} % (95 % interval {low:.1f} to {high:.1f}); stop by the agent "
          f"{statistics.median(stops):.2f} s ({stop_low:.2f} to {stop_high:.2f})")


main()

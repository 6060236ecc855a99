// Runs a program that the operator named, without a shell: a hook. Its output goes to our log's
// place, its environment is ours without settings of ours.
#pragma once

#include <atomic>
#include <chrono>
#include <string>
#include <vector>

namespace mp {

// Why it did not succeed, for the log; empty when it ended with status 0. `command`: the program's
// path and its arguments. It is killed when the time is over, or a second after `stopping` is set.
std::string execute(const std::vector<std::string>& command, std::chrono::milliseconds timeout,
                    const std::atomic<bool>& stopping);

}  // namespace mp

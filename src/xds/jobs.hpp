// Who runs what a switchboard leaves to others: jobs that may block for a while, and its tick. In
// the product these are threads; a simulation runs one after the other, in any order.
#pragma once

#include <functional>
#include <memory>

namespace mp::xds {

class Jobs {
 public:
  virtual ~Jobs() = default;
  // False when there is no place for it. Safe from any thread.
  virtual bool post(std::function<void()> job) = 0;
  // Finishes the jobs there are; nothing runs afterwards, no tick either.
  virtual void stop() = 0;
};

using MakeJobs = std::function<std::unique_ptr<Jobs>(std::function<void()> tick)>;

// Four threads for jobs, and one that ticks ten times a second.
std::unique_ptr<Jobs> make_threads(std::function<void()> tick);

}  // namespace mp::xds

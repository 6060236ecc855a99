#include "store/writer_thread.hpp"

#include <algorithm>
#include <iterator>

namespace mp {
namespace {

constexpr std::size_t most_in_batch = 256;

// However the commit ends.
class Committing {
 public:
  explicit Committing(Pool& readers) : readers_(readers) { readers_.before_commit(); }
  ~Committing() { readers_.after_commit(); }
  Committing(const Committing&) = delete;
  Committing& operator=(const Committing&) = delete;

 private:
  Pool& readers_;
};

}  // namespace

WriterThread::WriterThread(std::unique_ptr<Connection> connection, WriteQueue& queue,
                           const Clock& clock, std::string self,
                           std::function<void(const Notice&)> committed, Pool& readers)
    : connection_(std::move(connection)),
      queue_(queue),
      clock_(clock),
      self_(std::move(self)),
      committed_(std::move(committed)),
      readers_(readers),
      thread_([this] { run(); }) {}

WriterThread::~WriterThread() {
  queue_.close();
  thread_.join();
}

void WriterThread::run() {
  for (auto batch = queue_.take(most_in_batch); !batch.empty();
       batch = queue_.take(most_in_batch)) {
    run_batch(batch);
    queue_.finish(batch);
  }
}

void WriterThread::run_batch(std::vector<Work*>& batch) {
  try {
    connection_->begin();
    connection_->load_numbers();
    run_works(batch);
    commit(batch);
  } catch (...) {  // nobody's change is kept
    connection_->rollback();
    ++failures_;
    for (Work* work : batch) {
      if (!work->failure) work->failure = std::current_exception();
    }
  }
}

// When the connection is lost, works that have not begun stay for the next batch. What arrives
// while the batch runs joins it: many clients that wait for one commit come back at about the same
// time.
void WriterThread::run_works(std::vector<Work*>& batch) {
  for (std::size_t at = 0; at < batch.size(); ++at) {
    const bool alone = batch.size() == 1;
    if (alone)
      run_one(*batch[at]);
    else
      run_saved(*batch[at]);
    if (connection_->lost()) {
      queue_.put_back(std::span(batch).subspan(at + 1));
      batch.resize(at + 1);
      throw unavailable("The database is not available",
                        "the connection was lost within the transaction");
    }
    if (at + 1 < batch.size()) continue;
    if (alone && !batch[at]->kept()) return;  // the whole transaction goes
    std::ranges::copy(queue_.take_waiting(most_in_batch - batch.size()), std::back_inserter(batch));
  }
}

void WriterThread::run_one(Work& work) {
  try {
    Writer db(*connection_, work.actor, clock_.now());
    work.run(db);
    if (connection_->failed()) throw internal("a write went on after a database error");
    work.revision = db.written_revision();
    work.stale = db.stale();
  } catch (...) {
    work.failure = std::current_exception();
  }
}

void WriterThread::run_saved(Work& work) {
  Numbers numbers = connection_->numbers();
  connection_->save();
  run_one(work);
  if (connection_->lost()) return;
  if (work.kept()) return connection_->release();
  connection_->undo();
  connection_->restore_numbers(std::move(numbers));
}

void WriterThread::commit(const std::vector<Work*>& batch) {
  failures_ +=
      std::ranges::count_if(batch, [](const Work* work) { return work->failure != nullptr; });
  const auto kept = std::ranges::count_if(batch, &Work::kept);
  if (kept == 0) return connection_->rollback();
  Notice notice{.sender = self_};
  for (const Work* work : batch) {
    if (!work->kept()) continue;
    notice.revision = std::max(notice.revision, work->revision);
    notice.stale.insert(work->stale.begin(), work->stale.end());
  }
  connection_->save_numbers();
  if (notice.revision > 0) connection_->tell(notice);
  {
    const Committing committing(readers_);
    connection_->commit();
  }
  ++commits_;
  writes_ += kept;
  if (notice.revision > 0) committed_(notice);
}

}  // namespace mp

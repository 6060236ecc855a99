// Counters, gauges and histograms, and their text for GET /metrics. Over prometheus-cpp, which only
// metrics.cpp includes. Get a handle once and keep it: using it is a few atomic operations, asking
// for it takes a lock. Handles live as long as their Registry. Thread-safe.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace prometheus {
class Counter;
class Gauge;
class Histogram;
}  // namespace prometheus

namespace mp {

using Labels = std::map<std::string, std::string>;

class Counter {
 public:
  explicit Counter(prometheus::Counter& series) : series_(series) {}
  void add(double amount = 1);  // amounts below 0 are ignored
  double value() const;

 private:
  prometheus::Counter& series_;
};

class Gauge {
 public:
  explicit Gauge(prometheus::Gauge& series) : series_(series) {}
  void set(double value);
  void add(double amount);  // may be negative
  double value() const;

 private:
  prometheus::Gauge& series_;
};

class Histogram {
 public:
  explicit Histogram(prometheus::Histogram& series) : series_(series) {}
  void observe(double value);

 private:
  prometheus::Histogram& series_;
};

// Upper bounds of buckets in seconds, from 1 ms to 10 s: for the time that requests take.
std::vector<double> request_seconds();

// What a callback reports at the moment of a scrape.
class Scrape {
 public:
  virtual ~Scrape() = default;
  virtual void gauge(const std::string& name, const std::string& help, const Labels& labels,
                     double value) = 0;
  virtual void counter(const std::string& name, const std::string& help, const Labels& labels,
                       double value) = 0;
};

class Registry {
 public:
  Registry();
  ~Registry();
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  // The series of this name and these labels, the same one each time. Throws std::invalid_argument
  // for a name or label that Prometheus does not allow, and for a name that is of another kind
  // already.
  Counter& counter(const std::string& name, const std::string& help, const Labels& labels = {});
  Gauge& gauge(const std::string& name, const std::string& help, const Labels& labels = {});
  // `bounds` ascend; +Inf is added. Those of the first call for a name count.
  Histogram& histogram(const std::string& name, const std::string& help,
                       const std::vector<double>& bounds, const Labels& labels = {});

  // Called in every text(), for figures that are cheaper to ask than to keep. One that throws is
  // logged and reports nothing. Add before the first text().
  void on_scrape(std::function<void(Scrape&)> report);

  // Prometheus text format 0.0.4, sorted by name and labels; content type `content_type`.
  std::string text() const;
  static constexpr const char* content_type = "text/plain; version=0.0.4; charset=utf-8";

 private:
  struct Inside;
  std::unique_ptr<Inside> inside_;
};

}  // namespace mp

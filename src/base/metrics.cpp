#include "base/metrics.hpp"

#include "base/log.hpp"

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <mutex>
#include <stdexcept>
#include <utility>

namespace mp {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

ClientMetric make_sample(const Labels& labels) {
  ClientMetric sample;
  for (const auto& [name, value] : labels) sample.label.push_back({name, value});
  return sample;
}

std::vector<std::pair<std::string, std::string>> key_of(const ClientMetric& sample) {
  std::vector<std::pair<std::string, std::string>> key;
  for (const auto& label : sample.label) key.emplace_back(label.name, label.value);
  return key;
}

// The text format allows neither a line break nor a lone backslash in a help text.
std::string escaped(const std::string& help) {
  std::string text;
  for (const char letter : help) {
    if (letter == '\n')
      text += "\\n";
    else if (letter == '\\')
      text += "\\\\";
    else
      text += letter;
  }
  return text;
}

// Collects what callbacks report, one family a name.
class Collected final : public Scrape {
 public:
  void gauge(const std::string& name, const std::string& help, const Labels& labels,
             double value) override {
    ClientMetric sample = make_sample(labels);
    sample.gauge.value = value;
    add(name, help, MetricType::Gauge, std::move(sample));
  }
  void counter(const std::string& name, const std::string& help, const Labels& labels,
               double value) override {
    ClientMetric sample = make_sample(labels);
    sample.counter.value = value;
    add(name, help, MetricType::Counter, std::move(sample));
  }
  void append(Collected other) {
    for (auto& [name, family] : other.families_) {
      for (auto& sample : family.metric) add(name, family.help, family.type, std::move(sample));
    }
  }
  std::vector<MetricFamily> take() {
    std::vector<MetricFamily> families;
    for (auto& [name, family] : families_) families.push_back(std::move(family));
    return families;
  }

 private:
  void add(const std::string& name, const std::string& help, MetricType type, ClientMetric sample) {
    const auto [entry, fresh] = families_.try_emplace(name, MetricFamily{name, help, type, {}});
    if (!fresh && entry->second.type != type)
      throw std::invalid_argument(name + " is reported as two kinds");
    entry->second.metric.push_back(std::move(sample));
  }

  std::map<std::string, MetricFamily> families_;
};

void sort(std::vector<MetricFamily>& families) {
  std::ranges::sort(families, {}, &MetricFamily::name);
  for (MetricFamily& family : families) {
    family.help = escaped(family.help);
    std::ranges::sort(family.metric, {}, key_of);
  }
}

}  // namespace

void Counter::add(double amount) { series_.Increment(amount); }
double Counter::value() const { return series_.Value(); }

void Gauge::set(double value) { series_.Set(value); }
void Gauge::add(double amount) { series_.Increment(amount); }
double Gauge::value() const { return series_.Value(); }

void Histogram::observe(double value) { series_.Observe(value); }

std::vector<double> request_seconds() {
  return {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10};
}

struct Registry::Inside {
  template <class Handle>
  using Handles = std::map<std::pair<std::string, Labels>, std::unique_ptr<Handle>>;

  // Finds the handle, or has `make` make its series.
  template <class Handle, class Make>
  Handle& handle(Handles<Handle>& handles, const std::string& name, const Labels& labels,
                 Make make) {
    const std::lock_guard lock(mutex);
    auto& slot = handles[{name, labels}];
    if (slot) return *slot;
    try {
      slot = std::make_unique<Handle>(make());
    } catch (const std::exception& error) {
      handles.erase({name, labels});
      throw std::invalid_argument("metric " + name + ": " + error.what());
    }
    return *slot;
  }

  mutable std::mutex mutex;
  // Throws on a name that is of another kind already.
  prometheus::Registry series{prometheus::Registry::InsertBehavior::Merge};
  Handles<Counter> counters;
  Handles<Gauge> gauges;
  Handles<Histogram> histograms;
  std::map<std::string, std::vector<double>> bounds;
  std::vector<std::function<void(Scrape&)>> reports;
};

Registry::Registry() : inside_(std::make_unique<Inside>()) {}
Registry::~Registry() = default;

Counter& Registry::counter(const std::string& name, const std::string& help, const Labels& labels) {
  return inside_->handle(inside_->counters, name, labels, [&]() -> prometheus::Counter& {
    return prometheus::BuildCounter().Name(name).Help(help).Register(inside_->series).Add(labels);
  });
}

Gauge& Registry::gauge(const std::string& name, const std::string& help, const Labels& labels) {
  return inside_->handle(inside_->gauges, name, labels, [&]() -> prometheus::Gauge& {
    return prometheus::BuildGauge().Name(name).Help(help).Register(inside_->series).Add(labels);
  });
}

Histogram& Registry::histogram(const std::string& name, const std::string& help,
                               const std::vector<double>& bounds, const Labels& labels) {
  return inside_->handle(inside_->histograms, name, labels, [&]() -> prometheus::Histogram& {
    const auto& kept = inside_->bounds.try_emplace(name, bounds).first->second;
    return prometheus::BuildHistogram()
        .Name(name)
        .Help(help)
        .Register(inside_->series)
        .Add(labels, kept);
  });
}

void Registry::on_scrape(std::function<void(Scrape&)> report) {
  const std::lock_guard lock(inside_->mutex);
  inside_->reports.push_back(std::move(report));
}

std::string Registry::text() const {
  std::vector<std::function<void(Scrape&)>> reports;
  {
    const std::lock_guard lock(inside_->mutex);
    reports = inside_->reports;
  }
  Collected collected;
  for (const auto& report : reports) {
    Collected part;
    try {
      report(part);
      collected.append(std::move(part));
    } catch (const std::exception& error) {
      log::warning("a metrics report failed", {{"error", error.what()}});
    }
  }
  std::vector<MetricFamily> families = inside_->series.Collect();
  for (MetricFamily& family : collected.take()) families.push_back(std::move(family));
  sort(families);
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace mp

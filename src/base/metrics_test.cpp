#include "base/metrics.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>
#include <thread>

namespace mp {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Metrics, TextIsInPrometheusForm) {
  Registry registry;
  registry.counter("requests_total", "Requests.", {{"status", "200"}, {"method", "GET"}}).add(3);
  registry.gauge("clusters", "Clusters.").set(2.5);
  EXPECT_EQ(registry.text(),
            "# HELP clusters Clusters.\n"
            "# TYPE clusters gauge\n"
            "clusters 2.5\n"
            "# HELP requests_total Requests.\n"
            "# TYPE requests_total counter\n"
            "requests_total{method=\"GET\",status=\"200\"} 3\n");
}

TEST(Metrics, SameNameAndLabelsAreTheSameSeries) {
  Registry registry;
  Counter& first = registry.counter("a_total", "A.", {{"x", "1"}});
  Counter& again = registry.counter("a_total", "A.", {{"x", "1"}});
  Counter& other = registry.counter("a_total", "A.", {{"x", "2"}});
  first.add();
  EXPECT_EQ(&first, &again);
  EXPECT_EQ(again.value(), 1);
  EXPECT_EQ(other.value(), 0);
}

TEST(Metrics, CountersOnlyGrow) {
  Registry registry;
  Counter& counter = registry.counter("a_total", "A.");
  counter.add(5);
  counter.add(-2);
  EXPECT_EQ(counter.value(), 5);
  Gauge& gauge = registry.gauge("b", "B.");
  gauge.add(5);
  gauge.add(-2);
  EXPECT_EQ(gauge.value(), 3);
}

TEST(Metrics, HistogramCountsByBucket) {
  Registry registry;
  Histogram& histogram = registry.histogram("took_seconds", "Time.", {0.1, 1}, {{"path", "/"}});
  histogram.observe(0.05);
  histogram.observe(0.5);
  histogram.observe(7);
  const std::string text = registry.text();
  EXPECT_THAT(text, HasSubstr("took_seconds_bucket{path=\"/\",le=\"0.1\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("took_seconds_bucket{path=\"/\",le=\"1\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("took_seconds_bucket{path=\"/\",le=\"+Inf\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("took_seconds_count{path=\"/\"} 3\n"));
}

TEST(Metrics, ReportsAreAskedAtEveryScrape) {
  Registry registry;
  int users = 1;
  registry.on_scrape([&](Scrape& scrape) {
    scrape.gauge("users", "Users.", {}, users);
    scrape.gauge("proxies", "Proxies.", {{"type", "ingress"}}, 4);
    scrape.gauge("proxies", "Proxies.", {{"type", "egress"}}, 5);
    scrape.counter("sent_total", "Sent.", {}, 6);
  });
  EXPECT_THAT(registry.text(), HasSubstr("\nusers 1\n"));
  users = 2;
  EXPECT_EQ(registry.text(),
            "# HELP proxies Proxies.\n# TYPE proxies gauge\n"
            "proxies{type=\"egress\"} 5\nproxies{type=\"ingress\"} 4\n"
            "# HELP sent_total Sent.\n# TYPE sent_total counter\nsent_total 6\n"
            "# HELP users Users.\n# TYPE users gauge\nusers 2\n");
}

TEST(Metrics, AFailingReportLosesOnlyItself) {
  Registry registry;
  registry.on_scrape([](Scrape& scrape) {
    scrape.gauge("half", "Half.", {}, 1);
    throw std::runtime_error("no database");
  });
  registry.on_scrape([](Scrape& scrape) { scrape.gauge("whole", "Whole.", {}, 1); });
  const std::string text = registry.text();
  EXPECT_THAT(text, HasSubstr("whole 1\n"));
  EXPECT_THAT(text, Not(HasSubstr("half")));
}

TEST(Metrics, LabelValuesAndHelpAreEscaped) {
  Registry registry;
  registry.counter("a_total", "Two\nlines \\ one.", {{"x", "q\"\\\n"}}).add();
  EXPECT_EQ(registry.text(),
            "# HELP a_total Two\\nlines \\\\ one.\n# TYPE a_total "
            "counter\na_total{x=\"q\\\"\\\\\\n\"} 1\n");
}

TEST(Metrics, WrongNamesAreRefused) {
  Registry registry;
  EXPECT_THROW(registry.counter("a-b", "A."), std::invalid_argument);
  EXPECT_THROW(registry.counter("a_total", "A.", {{"x-y", "1"}}), std::invalid_argument);
  registry.counter("b_total", "B.");
  EXPECT_THROW(registry.gauge("b_total", "B."), std::invalid_argument);
}

TEST(Metrics, AreSafeFromManyThreads) {
  Registry registry;
  const auto work = [&] {
    for (int round = 0; round < 1000; ++round) {
      registry.counter("a_total", "A.", {{"x", std::to_string(round % 5)}}).add();
      if (round % 200 == 0) registry.text();
    }
  };
  std::thread left(work);
  std::thread right(work);
  left.join();
  right.join();
  double sum = 0;
  for (int label = 0; label < 5; ++label)
    sum += registry.counter("a_total", "A.", {{"x", std::to_string(label)}}).value();
  EXPECT_EQ(sum, 2000);
}

}  // namespace
}  // namespace mp

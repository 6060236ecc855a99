#include "api/answer.hpp"

#include <gtest/gtest.h>

namespace mp::api {
namespace {

TEST(Answer, TakesAUsableRequestIdAndMakesOneOtherwise) {
  RandomTexts ids;
  http::Request request;
  request.headers = {{"X-Request-ID", "mine-1"}};
  EXPECT_EQ(request_id_of(request, ids), "mine-1");
  request.headers = {{"X-Request-ID", "not mine"}};
  const std::string made = request_id_of(request, ids);
  EXPECT_EQ(made.size(), 20U);
  EXPECT_TRUE(made.starts_with("req_"));
  EXPECT_NE(request_id_of(request, ids), made);
}

}  // namespace
}  // namespace mp::api

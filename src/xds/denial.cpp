#include "xds/denial.hpp"

#include "base/error.hpp"

#include <string_view>

namespace mp::xds {
namespace {

using envoy::config::accesslog::v3::AccessLogFilter;
using envoy::config::accesslog::v3::ComparisonFilter;
using envoy::extensions::filters::network::http_connection_manager::v3::HttpConnectionManager;
using google::protobuf::Struct;

void add_status(AccessLogFilter& filter, unsigned status) {
  auto& comparison = *filter.mutable_status_code_filter()->mutable_comparison();
  comparison.set_op(ComparisonFilter::EQ);
  comparison.mutable_value()->set_default_value(status);
  comparison.mutable_value()->set_runtime_key("marchproxy.denial_status");  // a key it must have
}

void add_no_grpc(AccessLogFilter& filter) {
  auto& header = *filter.mutable_header_filter()->mutable_header();
  header.set_name("content-type");
  header.mutable_string_match()->set_prefix("application/grpc");
  header.set_invert_match(true);
  header.set_treat_missing_header_as_empty(true);
}

// `message` may have Envoy's command operators.
void add_denial(HttpConnectionManager& manager, Code code, std::string_view message) {
  auto& mapper = *manager.mutable_local_reply_config()->add_mappers();
  auto& both = *mapper.mutable_filter()->mutable_and_filter();
  add_status(*both.add_filters(), static_cast<unsigned>(facts(code).http_status));
  add_no_grpc(*both.add_filters());
  Struct error;
  (*error.mutable_fields())["code"].set_string_value(std::string(facts(code).name));
  (*error.mutable_fields())["message"].set_string_value(std::string(message));
  auto& body = *mapper.mutable_body_format_override()->mutable_json_format()->mutable_fields();
  body["success"].set_bool_value(false);
  *body["error"].mutable_struct_value() = error;
  body["request_id"].set_string_value("%REQ(X-REQUEST-ID)%");
}

}  // namespace

void add_denials(HttpConnectionManager& manager) {
  add_denial(manager, Code::Authentication, "%LOCAL_REPLY_BODY%");  // "Jwt is expired"
  add_denial(manager, Code::Permission, "The caller may not use this service");
}

}  // namespace mp::xds

#include "api/certificate_status.hpp"

namespace mp::api {

void narrow_to_status(Selection& selection, const ListQuery& query, Time now) {
  const auto* wanted = query.filter("status");
  if (!wanted) return;
  const std::string_view status = wanted->as_string();
  narrow(selection, status == "revoked"   ? "revoked_at IS NOT NULL"
                    : status == "expired" ? "revoked_at IS NULL AND expires_at <= :now"
                                          : "revoked_at IS NULL AND expires_at > :now");
  if (status != "revoked") selection.values.emplace_back("now", to_milliseconds(now));
}

}  // namespace mp::api

// Entity tags (RFC 9110 8.8.3) of objects: their revision, and behind it what changes without a
// new one, so that a tag changes when anything in the answer does.
#pragma once

#include "api/call.hpp"
#include "model/status.hpp"

#include <string>
#include <string_view>

namespace mp::api {

// "3", or "3-live" with what is computed and no longer as at first; empty without a revision. What
// else the server notes of it, such as the last sign-in, is a hash between them.
std::string etag_of(const Description& description, const void* object);
// The tag of the same object when its fleet status, which was `before`, has changed.
std::string etag_in_state(std::string_view etag, std::string_view before, State state);
// The field that says what the proxies make of an object; null when there is none.
const Field* fleet_status(const Description& description);
bool has_revision(const Description& description);
// The values of all header lines of that name as one list (RFC 9110 5.3); empty when there is none.
std::string list_header(const http::Request& request, std::string_view name);
// If-Match against the loaded object: PreconditionFailed when it no longer holds. States do not
// count: a proxy's acknowledgement is nobody's edit.
void check_match(const Call& call, const Description& description, const void* object);

}  // namespace mp::api

"""usage: tour.py URL PASSWORD CLUSTER_KEY     (with the generated package `marchproxy_client` in the path)

A tour of the API with the client that openapi-generator makes of its document. Prints one line when all went well.
"""

import sys

import marchproxy_client as marchproxy
from marchproxy_client.exceptions import ApiException, NotFoundException, UnauthorizedException


def refused(call, kind, status):
    """The error answer of a call that must not succeed."""
    try:
        call()
    except kind as error:
        assert error.status == status, f"{error.status} instead of {status}: {error.body}"
        return error.data
    raise AssertionError(f"no {status}")


def account(api, configuration, password):
    auth = marchproxy.AuthApi(api)
    wrong = marchproxy.LoginRequest(username="admin", password="not the password")
    answer = refused(lambda: auth.login(wrong), UnauthorizedException, 401)
    assert answer.success is False and answer.error.code == "AUTHENTICATION_REQUIRED"
    session = auth.login(marchproxy.LoginRequest(username="admin", password=password)).data
    assert session.user.is_admin and session.expires_in == 3600
    configuration.access_token = session.access_token
    assert auth.me().data.username == "admin"
    again = auth.refresh(marchproxy.RefreshRequest(refresh_token=session.refresh_token)).data
    configuration.access_token = again.access_token
    assert auth.me().data.id == session.user.id


def users(api):
    group = marchproxy.UsersApi(api)
    body = marchproxy.CreateUser(username="jdoe", email="jdoe@company.com", password="StrongPassword123!", clusters=[1])
    made = group.create_user(body).data
    assert made.last_login is None and made.auth_provider == "local" and made.clusters == [1]
    assert group.get_user(made.id).data == made
    assert [user.username for user in group.list_users(search="JDOE").data.users] == ["jdoe"]
    changed = group.update_user(made.id, marchproxy.UpdateUser(email="john@company.com")).data
    assert changed.email == "john@company.com" and changed.username == "jdoe"
    twice = refused(lambda: group.create_user(body), ApiException, 409)
    assert twice.error.code == "RESOURCE_CONFLICT" and twice.error.details.var_field == "username"
    group.delete_user(made.id)
    refused(lambda: group.get_user(made.id), NotFoundException, 404)


def services(api):
    group = marchproxy.ServicesApi(api)
    made = []
    for number in range(5):
        body = marchproxy.CreateService(name=f"web-{number}", ip_fqdn="10.0.1.100", collection="web", cluster_id=1,
                                        auth_type="jwt", auth_config=marchproxy.AuthConfigInput(jwt_expiry=3600))
        service = group.create_service(body, idempotency_key=f"key-{number}").data
        assert service.auth_config.jwt_secret and service.health_check is None
        assert group.create_service(body, idempotency_key=f"key-{number}").data.id == service.id
        made.append(service)
    pages = [group.list_services(page=page, limit=2, sort="-name", collection="web").data for page in (1, 2, 3)]
    assert [page.total for page in pages] == [5, 5, 5]
    names = [service.name for page in pages for service in page.services]
    assert names == [f"web-{number}" for number in (4, 3, 2, 1, 0)]
    first = made[0]
    whole = group.get_service_with_http_info(first.id)
    etag = whole.headers["ETag"]
    checked = marchproxy.UpdateService(health_check=marchproxy.NullableHealthCheckInput(path="/ready", interval=30))
    assert group.update_service(first.id, checked, if_match=etag).data.health_check.interval == 30
    refused(lambda: group.update_service(first.id, checked, if_match=etag), ApiException, 412)
    rotated = group.rotate_service_jwt(first.id).data
    assert rotated.new_secret != first.auth_config.jwt_secret
    assert group.make_service_token(first.id, marchproxy.TokenRequest(ttl=600)).data.token.count(".") == 2
    answer = refused(lambda: group.update_service(first.id, marchproxy.UpdateService(name="any")), ApiException, 400)
    assert [each.var_field for each in answer.error.violations] == ["name"]
    return made


def mappings(api, made):
    group = marchproxy.MappingsApi(api)
    ports = [marchproxy.MappingPortsInner(80), marchproxy.MappingPortsInner("8000-8010")]
    body = marchproxy.CreateMapping(source_services=["any"], dest_services=[made[0].name, "collection:web"],
                                    cluster_id=1, protocols=["http"], ports=ports, hosts=["*.company.com"])
    mapping = group.create_mapping(body).data
    assert [port.actual_instance for port in mapping.ports] == [80, "8000-8010"]
    assert mapping.status.state == "idle" and mapping.priority == 100
    assert group.list_mappings(dest_service=made[0].name).data.total == 1
    assert group.patch_mapping(mapping.id, marchproxy.UpdateMapping(comments="Web tier")).data.comments == "Web tier"
    group.delete_mapping(mapping.id)


def clusters(api):
    group = marchproxy.ClustersApi(api)
    answer = refused(group.list_clusters, ApiException, 402)
    assert answer.error.details.default_cluster.name == "default"
    cluster = group.get_cluster(1).data
    assert cluster.is_default and cluster.created_by is None
    logging = marchproxy.ClusterLogging(syslog_endpoint="log.company.com:514", log_auth=True, log_netflow=True,
                                        log_debug=False)
    assert group.set_cluster_logging(1, logging).data.log_netflow
    assert group.get_cluster_status(1).data.state == "idle"


def proxies(api, configuration, key):
    configuration.api_key["cluster_key"] = key
    group = marchproxy.EnrolmentApi(api)
    body = marchproxy.Registration(hostname="proxy-egress-01.company.com", version="v1.0.0", capabilities=["ebpf"])
    proxy = group.register_proxy(body).data
    assert proxy.cluster_id == 1 and proxy.heartbeat_interval == 30 and proxy.xds.node_id == proxy.proxy_id
    metrics = marchproxy.ProxyMetricsInput(active_connections=12, requests_per_second=150.5, cpu_usage=12.5,
                                           memory_usage=40)
    group.heartbeat(marchproxy.Heartbeat(proxy_id=proxy.proxy_id, status="degraded", metrics=metrics))
    configured = group.get_configuration_with_http_info(1)
    assert len(configured.data.data.services) == 5 and configured.headers["ETag"]
    seen = marchproxy.ProxiesApi(api).get_proxy(proxy.proxy_id).data
    assert seen.status == "degraded" and seen.metrics.requests_per_second == 150.5
    assert marchproxy.ProxiesApi(api).list_proxies(status="degraded").data.total == 1
    marchproxy.ProxiesApi(api).delete_proxy(proxy.proxy_id)


def ending(api):
    health = marchproxy.OperationsApi(api).healthz()
    assert health.status == "healthy" and health.checks.database == "healthy"
    assert "marchproxy_users_total 1" in marchproxy.OperationsApi(api).metrics()
    marchproxy.AuthApi(api).logout()
    refused(marchproxy.AuthApi(api).me, UnauthorizedException, 401)


def main(url, password, key):
    configuration = marchproxy.Configuration(host=url)
    with marchproxy.ApiClient(configuration) as api:
        account(api, configuration, password)
        users(api)
        made = services(api)
        mappings(api, made)
        clusters(api)
        proxies(api, configuration, key)
        ending(api)
    print("the tour is complete")


main(*sys.argv[1:])

-- What auth_config leaves out is written down from here on.

UPDATE services SET auth_config = REPLACE(auth_config, '"jwt_expiry":null', '"jwt_expiry":3600')
WHERE auth_type = 'jwt';

UPDATE services SET auth_config = REPLACE(auth_config, '"header":null', '"header":"X-API-Key"')
WHERE auth_type = 'api_key';

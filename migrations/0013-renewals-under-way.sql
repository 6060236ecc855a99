-- Since when an attempt is under way, and not only an order: zero where none is.

UPDATE renewals SET begun_at = 0 WHERE order_url = '';

-- The names are as good as before. A release before may not find the few addresses that have another form now.
SELECT 1;

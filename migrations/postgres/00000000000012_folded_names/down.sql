-- The names are as good as before, for a release before, too.
SELECT 1;

-- The program brings the names of all rows into the form in which it stores new ones (store/names.rs): SQL cannot. Nothing
-- is left to do here.
SELECT 1;

-- The program brings the names of all rows into today's form (store/names.rs), in which letters of an address that differ in
-- case only are the same: SQL cannot. Nothing is left to do here.
SELECT 1;

DROP TABLE access_lifetimes;

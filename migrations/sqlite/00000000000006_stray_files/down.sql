DROP TABLE stray_files;

typedef int placeholder_storage;

typedef int placeholder_http;

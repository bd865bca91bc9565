typedef int placeholder_upgrade;

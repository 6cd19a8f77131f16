"""What readers of news, calendars and search engines fetch again and again."""

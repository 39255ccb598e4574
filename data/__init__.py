"""What is stored: settings, cluster, session, tables, SQL, migrations."""

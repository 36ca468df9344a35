"""What the appliance keeps: the journal, its chain, its projections, its backups."""

"""Reconciling plans: importers → matching → evidence → findings → decisions → roadmap → record."""

"""Pure calculations over counts of claims: reasons of a refusal, nearest stays."""

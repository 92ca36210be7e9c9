"""Reading and writing the formats that others speak, with caps on what a hostile document may cost."""

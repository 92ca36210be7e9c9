"""RQ behind the job-queue port."""

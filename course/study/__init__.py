"""What makes a course stay: the learner's progress, in the learner's own folder."""

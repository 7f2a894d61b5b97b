DROP TABLE completed_steps;

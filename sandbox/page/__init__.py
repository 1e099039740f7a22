"""The page where one person plays the customer and the agent."""

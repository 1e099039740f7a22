"""Tests of the runtime. What it promises, as the tests name it:

- I1: a crash changes nothing of any other actor.
- I2: every end of an incarnation leads to one recorded decision.
- I3: nothing is started while stopping.
- I4: stopping takes no longer than it may; what does not end is named.
- I5: delays before restarts follow the policy, and only healthy progress resets them.
- I6: too many crashes are never silent, and never the end.
- I7: what waits in a mailbox survives, and senders notice nothing.
- I8: a message leaves a worker's hands only when it has been dealt with.
- I9: a poisonous message ends as a dead letter, once.
- I10: everything that is kept is bounded.
- I11: nothing waits for ever.
- I12: cancellation is honoured at every wait.
- I13: an actor's rate outlives its crashes, and delays no other.
- I14: health tells the truth, at once.
- I15: the order of starting and stopping is fixed, and every transition is one event.
"""

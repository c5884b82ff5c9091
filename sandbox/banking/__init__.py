"""The marketplace's bank and its payer of sellers: a payables API, a drop for bank files, statements.

Not to be taken for ``sandbox.bank``, which is the buyer's bank.

``api``       ``/bank/…``: keys, faults, execution, answers. ``payees``, ``batches``, ``payments`` and
              ``callbacks`` are the payables API; ``files``, ``reports``, ``statements`` the bank's side.
``settling``  what the bank decides as the sandbox clock goes on; ``magic`` what it is told to decide.
``accounts``  the accounts that pay, their entries and balances; every entry is in the journal of effects.
``pain001``, ``pain002``, ``camt053``: the formats. ``control``, ``pages``: steering and looking.
"""

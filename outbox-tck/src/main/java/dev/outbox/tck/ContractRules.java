package dev.outbox.tck;

/** All rules that every store is tested for, whatever its backend. */
interface ContractRules
        extends TransactionRules,
                RowRules,
                ExclusivityRules,
                OrderRules,
                CloseRules,
                FencingRules,
                RetryRules,
                DeadLetterRules,
                OperationsRules,
                ListingRules,
                TimeRules,
                PendingRules,
                FilterAndLimitRules,
                PayloadRules,
                LifecycleRules,
                InputRules,
                CapabilityRules,
                CrashRules,
                KillPointRules,
                PauseRules,
                ConcurrencyRules,
                SweepRules,
                CountRules,
                ExplorationRules,
                RelayRules {}

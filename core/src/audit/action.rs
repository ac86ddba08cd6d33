//! What can be in the audit log.

macro_rules! actions {
    ($($(#[$doc:meta])* $variant:ident = $name:literal),* $(,)?) => {
        /// Something that concerns security.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Action { $($(#[$doc])* $variant),* }

        impl Action {
            /// Every action, for documents and filters.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The word in the log.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }

            /// Reads the word; `None` for any other.
            #[must_use]
            pub fn from_word(word: &str) -> Option<Self> {
                match word { $($name => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

actions!(
    /// A session began; `detail.method` says how.
    SignedIn = "account.signed_in",
    /// A sign-in to this account was refused; `detail.reason` says why.
    SignInFailed = "account.sign_in_failed",
    /// The right password was given; the code of the second factor was asked for.
    CodeAsked = "account.code_asked",
    /// A session was ended by its own user.
    SignedOut = "account.signed_out",
    /// Somebody made their own account.
    Registered = "account.registered",
    /// An administrator made an account.
    AccountCreated = "account.created",
    /// User name or e-mail address changed.
    AccountUpdated = "account.updated",
    /// May no longer sign in.
    AccountDisabled = "account.disabled",
    /// May sign in again.
    AccountEnabled = "account.enabled",
    /// The account is gone; its messages stay.
    AccountDeleted = "account.deleted",
    /// Became a superuser, or is none any more.
    SuperuserChanged = "account.superuser_changed",
    /// The roles of a user were set.
    RolesAssigned = "account.roles_assigned",
    /// Changed by its owner.
    PasswordChanged = "password.changed",
    /// A one-time link was made.
    PasswordResetLinked = "password.reset_linked",
    /// Set through a one-time link.
    PasswordReset = "password.reset",
    /// One session was ended from the list.
    SessionEnded = "session.ended",
    /// All sessions of a user were ended.
    SessionsEnded = "session.all_ended",
    /// A refresh token was used twice: it was stolen, and its session ended.
    RefreshReused = "refresh_token.reused",
    /// Codes are asked for from now on.
    TwoFactorEnabled = "two_factor.enabled",
    /// The user gave the second factor up.
    TwoFactorDisabled = "two_factor.disabled",
    /// By an administrator, for someone who lost their device.
    TwoFactorReset = "two_factor.reset",
    /// A recovery code was used up.
    RecoveryCodeUsed = "two_factor.recovery_code_used",
    /// New recovery codes replaced the old ones.
    RecoveryCodesRenewed = "two_factor.recovery_codes_renewed",
    /// A personal or bot token was made.
    TokenCreated = "token.created",
    /// A token is void.
    TokenRevoked = "token.revoked",
    /// A role was made.
    RoleCreated = "role.created",
    /// Its name or permissions changed.
    RoleUpdated = "role.updated",
    /// A role is gone.
    RoleDeleted = "role.deleted",
    /// An invitation link was made.
    InvitationCreated = "invitation.created",
    /// Somebody made an account by it.
    InvitationUsed = "invitation.used",
    /// An invitation is void.
    InvitationRevoked = "invitation.revoked",
    /// Password, codes, sessions and tokens of an account ended, since an issuer vouched for its address to somebody and
    /// nobody had before.
    CredentialsVoided = "account.credentials_voided",
    /// An outside identity belongs to an account now.
    IdentityLinked = "identity.linked",
    /// An outside identity belongs to the account no more.
    IdentityUnlinked = "identity.unlinked",
    /// A run-time policy changed.
    PolicyChanged = "policy.changed",
    /// A superuser opened a channel that they are no member of.
    BreakGlassOpened = "break_glass.opened",
    /// Before its time was over.
    BreakGlassEnded = "break_glass.ended",
    /// Somebody was brought into a channel by another.
    MemberAdded = "member.added",
    /// Somebody was removed from a channel by another.
    MemberRemoved = "member.removed",
    /// The role of a member of a channel changed.
    MemberRoleChanged = "member.role_changed",
    /// A channel became private, or public with all that was said there.
    ChannelPrivacyChanged = "channel.privacy_changed",
    /// An invitation to a channel was made.
    ChannelInvitationCreated = "channel_invitation.created",
    /// Somebody joined a channel by its code.
    ChannelInvitationUsed = "channel_invitation.used",
    /// An invitation to a channel is void.
    ChannelInvitationRevoked = "channel_invitation.revoked",
    /// A webhook of a channel was made.
    WebhookCreated = "webhook.created",
    /// A webhook got a new secret; the old one is void.
    WebhookRotated = "webhook.rotated",
    /// A webhook is gone.
    WebhookDeleted = "webhook.deleted",
    /// A channel was deleted.
    ChannelDeleted = "channel.deleted",
    /// How long a channel keeps its messages was changed.
    RetentionChanged = "channel.retention_changed",
    /// The assistant was switched off or on in a channel.
    AssistantSwitched = "channel.assistant_switched",
    /// A reaction was added to the catalogue.
    ReactionCreated = "reaction.created",
    /// A reaction was taken from the catalogue.
    ReactionDeleted = "reaction.deleted",
    /// The audit log was exported.
    AuditExported = "audit.exported",
    /// Data of another system was brought in.
    DataImported = "data.imported",
    /// Channels were written into an archive to be taken away; `detail` says whether private ones too.
    DataExported = "data.exported",
    /// An event that a consumer had given up on was handed to it again.
    DeadLetterRetried = "dead_letter.retried",
    /// The index is being built anew.
    Reindexed = "index.rebuilt",
    /// A plugin came, or another version of it.
    PluginInstalled = "plugin.installed",
    /// An update asks for more than was granted, and waits.
    PluginOffered = "plugin.offered",
    /// A plugin and all that it kept are gone.
    PluginRemoved = "plugin.removed",
    /// It runs.
    PluginEnabled = "plugin.enabled",
    /// It does not run.
    PluginDisabled = "plugin.disabled",
    /// What it may do changed; `detail.from` and `detail.to` say how.
    PluginGranted = "plugin.granted",
    /// Its settings changed; `detail.keys` names them.
    PluginConfigured = "plugin.configured",
    /// It asked for what it was not granted, `detail.permission`, so often in a minute.
    PluginDenied = "plugin.denied",
    /// The asker of the assistant had it call a plugin's tool that changes something; `detail.tool` says which.
    ToolConfirmed = "assistant.tool_confirmed",
);

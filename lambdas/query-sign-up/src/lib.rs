//! Lets only people of the tenant's domains sign up.
